using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using ImageForge.Lab.Networks;

namespace ImageForge.Lab.Machines;

/// <summary>One power-on of a machine: from start to power-off, power cut or (with EndOnReboot) restart. The firmware's settings survive between power-ons.</summary>
public sealed class VirtualMachine : IAsyncDisposable
{
    private readonly Process _process;
    private readonly LabNetwork _network;
    private readonly string _tap;
    private readonly string _socket;
    private readonly Task<string> _errors;
    private bool _disposed;

    private VirtualMachine(Process process, LabNetwork network, MachineOptions options, string tap, string socket)
    {
        (_process, _network, Options, _tap, _socket) = (process, network, options, tap, socket);
        Console = new SerialConsole(process.StandardOutput.BaseStream, Path.Combine(Repository.LogFolder, $"{options.Name}.serial.log"));
        _errors = process.StandardError.ReadToEndAsync();
    }

    public MachineOptions Options { get; }

    /// <summary>For <see cref="FirmwareVariables"/>, once the machine is off; a BIOS has none.</summary>
    public string VariablesFile => QemuArguments.VariablesFile(_network, Options);

    public SerialConsole Console { get; }

    public bool IsRunning => !_process.HasExited;

    public static async Task<VirtualMachine> PowerOnAsync(LabNetwork network, MachineOptions options)
    {
        var tap = await network.AddTapAsync();
        var socket = Path.Combine(network.Folder, $"{options.Name}.qmp");
        File.Delete(socket);
        var process = LabNetwork.StartIn(network.Machines, "qemu-system-x86_64", QemuArguments.Of(network, options, tap, socket));
        return new VirtualMachine(process, network, options, tap, socket);
    }

    /// <summary>The plug is pulled: nothing is flushed inside the guest.</summary>
    public async Task CutPowerAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Waits until the guest has switched itself off (or restarted, with EndOnReboot).</summary>
    public async Task WaitForEndAsync(TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            throw new LabException($"{Options.Name} still runs after {limit.TotalSeconds:0} s; its last lines:\n{Console.Tail()}");
        }
        var errors = await _errors;
        if (_process.ExitCode != 0)
            throw new LabException($"QEMU of {Options.Name} ended with {_process.ExitCode}: {errors}");
    }

    /// <summary>Types on the serial line.</summary>
    public async Task TypeAsync(string text)
    {
        await _process.StandardInput.WriteAsync(text);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Pulls a disk out of the running machine (PCI hot-unplug).</summary>
    public Task PullDiskAsync(int index) =>
        MonitorAsync("device_del", new JsonObject { ["id"] = string.Create(CultureInfo.InvariantCulture, $"disk{index}") });

    public Task ResetAsync() => MonitorAsync("system_reset");

    /// <summary>Ctrl-Alt-Del on the machine's keyboard.</summary>
    public Task PressCtrlAltDelAsync() => MonitorAsync("send-key", new JsonObject
    {
        ["keys"] = new JsonArray([.. new[] { "ctrl", "alt", "delete" }.Select(key => new JsonObject { ["type"] = "qcode", ["data"] = key })]),
    });

    /// <summary>A picture of the machine's own screen (PNG).</summary>
    public async Task<string> ScreenshotAsync()
    {
        var file = Path.Combine(Repository.LogFolder, $"{Options.Name}.png");
        await MonitorAsync("screendump", new JsonObject { ["filename"] = file, ["format"] = "png" });
        return file;
    }

    /// <summary>Resident memory of the whole virtual machine process, for the lab's own planning.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await CutPowerAsync();
        Console.Dispose();
        _process.Dispose();
        await _network.RemoveTapAsync(_tap);
    }

    private async Task MonitorAsync(string command, JsonObject? arguments = null)
    {
        using var monitor = await QemuMonitor.ConnectAsync(_socket);
        await monitor.SendAsync(command, arguments);
    }
}
