using ImageForge.Agent.Firmware;
using ImageForge.Agent.Tasks;
using ImageForge.Contracts;

namespace ImageForge.Agent.Tests.Firmware;

public sealed class NextBootTests : IDisposable
{
    private readonly FirmwareFolder _firmware = new();
    private readonly TemporaryFolder _state = new();

    [Fact]
    public async Task Points_back_to_the_network_while_the_deploy_runs_and_no_longer()
    {
        var during = Array.Empty<byte>();
        var outcome = await Around(resumed: false, () => during = _firmware.Variables.Read("BootNext")!);

        Assert.Equal([3, 0], during);
        Assert.Null(_firmware.Variables.Read("BootNext"));
        Assert.Empty(outcome.Notes);
    }

    [Fact]
    public async Task Is_cleared_when_the_deploy_fails()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => Around(resumed: false, () => throw new InvalidOperationException("the disk is gone")));
        Assert.Null(_firmware.Variables.Read("BootNext"));
    }

    [Fact]
    public async Task Firmware_that_left_it_in_place_is_reported()
    {
        _firmware.Variables.Write("BootNext", [3, 0]);
        Assert.Contains("ignored BootNext", Assert.Single((await Around(resumed: true, () => { })).Notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Firmware_that_refuses_it_is_reported_and_the_deploy_goes_on()
    {
        // A folder in its place cannot be written and cannot be deleted as a file.
        Directory.CreateDirectory(_firmware.Root.Path("/sys/firmware/efi/efivars/BootNext-8be4df61-93ca-11d2-aa0d-00e098032b8c"));
        var ran = false;
        var outcome = await Around(resumed: false, () => ran = true);

        Assert.True(ran);
        Assert.Contains(outcome.Notes, n => n.Contains("refused to set BootNext", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_machine_without_efi_variables_is_left_alone()
    {
        using var bios = new FirmwareFolder(uefi: false);
        var outcome = await new FirmwareSteps(bios.Variables, new NoDisks(), (_, _) => throw new IOException(), "x64", _state.Path)
            .AroundAsync(new DeployChoices(), false, () => Task.FromResult(Done));

        Assert.Same(Done, outcome);
        Assert.False(Directory.Exists(bios.Root.Path("/sys")));
    }

    [Fact]
    public async Task An_agent_started_again_in_the_same_boot_blames_no_firmware()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => Around(resumed: false, () =>
        {
            // The agent dies here: what it leaves is the variable and its mark.
            File.Copy(Path.Combine(_state.Path, "boot-next"), Path.Combine(_state.Path, "kept"));
            throw new InvalidOperationException("killed");
        }));
        File.Move(Path.Combine(_state.Path, "kept"), Path.Combine(_state.Path, "boot-next"));
        _firmware.Variables.Write("BootNext", [3, 0]);

        Assert.Empty((await Around(resumed: true, () => { })).Notes);
        Assert.Null(_firmware.Variables.Read("BootNext"));
    }

    public void Dispose()
    {
        _firmware.Dispose();
        _state.Dispose();
    }

    private static TaskOutcome Done { get; } = new(HostTaskState.Succeeded, null, "done");

    private Task<TaskOutcome> Around(bool resumed, Action during) =>
        new FirmwareSteps(_firmware.Variables, new NoDisks(), (_, _) => throw new IOException(), "x64", _state.Path).AroundAsync(new DeployChoices(), resumed, () =>
        {
            during();
            return Task.FromResult(Done);
        });
}
