using System.Text.RegularExpressions;
using ImageForge.Lab;
using ImageForge.Lab.Machines;
using ImageForge.Lab.Networks;

namespace ImageForge.EndToEnd;

/// <summary>What the live image does with the agent's exit code, with a script in the agent's place that ends as the kernel command line says.</summary>
public sealed class SupervisorTests : IAsyncLifetime
{
    private const string Agent = """
        #!/bin/sh
        echo "stand-in: free $(sed -n 's/MemAvailable: *//p' /proc/meminfo)"
        exit "$(sed -n 's/.*lab.exit=\([0-9]*\).*/\1/p' /proc/cmdline)"

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("if-live-").FullName;
    private LabNetwork _network = null!;
    private SiteDhcp _dhcp = null!;

    public async Task InitializeAsync()
    {
        Directory.CreateSymbolicLink(Path.Combine(_folder, "apt"), Path.Combine(Repository.Build, "apt"));
        var agent = Path.Combine(_folder, "agent.sh");
        await File.WriteAllTextAsync(agent, Agent);
        await Command.RunAsync("chmod", "+x", agent);
        await Command.RunAsync("env", $"IMAGEFORGE_BUILD={_folder}", Path.Combine(Repository.Top, "client-agent", "live-image", "build.sh"), "--agent", agent);
        _network = await LabNetwork.CreateAsync();
        _dhcp = await SiteDhcp.StartAsync(_network);
    }

    public async Task DisposeAsync()
    {
        await _dhcp.DisposeAsync();
        await _network.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Each_exit_code_has_its_end()
    {
        await using (var machine = await PowerOnAsync("exit-0", 0))
        {
            // -no-reboot: QEMU ends where the machine would start again.
            await machine.WaitForEndAsync(Machines.BootLimit);
            Assert.Contains("the agent is done; restarting", machine.Console.Text, StringComparison.Ordinal);
        }
        await using (var machine = await PowerOnAsync("exit-10", 10))
        {
            await machine.WaitForEndAsync(Machines.BootLimit);
            Assert.Contains("the agent is done; switching off", machine.Console.Text, StringComparison.Ordinal);
        }
        await using (var machine = await PowerOnAsync("exit-1", 1))
        {
            await machine.Console.WaitForAsync("the agent crashed 4 times", Machines.BootLimit);
            await Task.Delay(TimeSpan.FromSeconds(3));
            Assert.Equal(4, Regex.Count(machine.Console.Text, "stand-in: free"));
            Assert.True(machine.IsRunning, "the machine did not stay on its message");
        }
    }

    private Task<VirtualMachine> PowerOnAsync(string name, int exit) =>
        VirtualMachine.PowerOnAsync(_network, new($"supervisor-{name}", Machines.TargetMac)
        {
            EndOnReboot = true,
            NetworkBoot = false,
            MemoryMiB = 512,
            Direct = (Path.Combine(_folder, "live", "vmlinuz"), Path.Combine(_folder, "live", "initrd.img"),
                $"console=ttyS0 no_timer_check lab.exit={exit} BOOTIF=01-{Machines.TargetMac.Replace(':', '-')}"),
        });
}
