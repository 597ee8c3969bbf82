using System.Reflection;
using ImageForge.Agent.Firmware;
using ImageForge.Agent.Inventory;
using ImageForge.Agent.Screen;
using ImageForge.Agent.Server;
using ImageForge.Agent.Streams;
using ImageForge.Agent.Tasks;
using ImageForge.Contracts;

namespace ImageForge.Agent;

/// <summary>One boot from the kernel command line to the exit code: check in, do the task, tell the server, show how it ended.</summary>
internal sealed class AgentRun(AgentOptions options, TextWriter output, TimeProvider time)
{
    /// <summary>A cancelled machine has nothing to tell that the server does not know.</summary>
    private static readonly TimeSpan s_patienceWhenCancelled = TimeSpan.FromSeconds(20);

    /// <summary>
    /// The boot token lives ten minutes (Boot:TokenMinutes) and was made before this system was even loaded. Waiting longer for the
    /// check-in can only end in a refusal; a restart gets a new token, or starts the machine's disk when there is no task any more.
    /// </summary>
    private static readonly TimeSpan s_checkInPatience = TimeSpan.FromMinutes(9);

    /// <returns>The exit code, see <see cref="ExitCodes"/>.</returns>
    public async Task<int> RunAsync(CancellationToken cancel)
    {
        var reach = new ServerReach(time);
        var progress = new TaskProgress();
        var rate = new RateMeter(time);
        var lines = new SerialLines(output);
        lines.Say("agent " + Version);
        using var console = OpenConsole();
        var screen = console is null ? null : new MachineScreen(console);

        var (boot, refused) = KernelCommandLine.Parse(ReadCommandLine());
        var display = new Display(boot?.Server.Authority ?? "unknown", screen, lines, progress, rate, reach, time);
        if (boot is null)
            return Show(display, TaskOutcome.Of(refused!), AfterTask.Stay);

        using var done = new CancellationTokenSource();
        var painting = display.RunAsync(done.Token);
        try
        {
            return await RunAsync(boot, display, progress, rate, reach, cancel);
        }
#pragma warning disable CA1031 // Before the check-in nobody else can be told: it must at least stand on the screen.
        catch (Exception e)
#pragma warning restore CA1031
        {
            display.Say(e.ToString().ReplaceLineEndings(" | "));
            return Show(display, TaskOutcome.Of(TaskFailures.Of(e)), AfterTask.Stay);
        }
        finally
        {
            await done.CancelAsync();
            await painting;
        }
    }

    private async Task<int> RunAsync(
        KernelCommandLine boot, Display display, TaskProgress progress, RateMeter rate, ServerReach reach, CancellationToken cancel)
    {
        using var http = new HttpMessageInvoker(PinnedHandler.Create(boot.ServerAddress, boot.Pin));
        var connection = new ServerConnection(http, boot.Server, boot.Patience, reach, time, Random.Shared);
        var traffic = new Traffic();
        var server = new AgentServer(connection, traffic);
        var root = new SystemRoot(options.SystemRoot);
        IDisks disks = options.DiskFiles.Count > 0 ? new FileDisks(options.DiskFiles) : new MachineDisks(root);

        CheckInResponse checkedIn;
        try
        {
            checkedIn = await CheckInAsync(boot, server, root, disks, display, cancel);
        }
        catch (FailureException e) when (e.InnerException is ServerAwayException || e.Failure.Code is "bootTokenExpired" or "bootTokenUnknown")
        {
            // No task has begun, so none can fail in a loop: the server decides at each boot.
            var restart = Show(display, TaskOutcome.Of(e.Failure), ExitCodes.Reboot);
            await Task.Delay(options.TimeToRead, time, cancel);
            return restart;
        }
        catch (FailureException e)
        {
            // Without a task token nothing can be reported: the screen is all there is.
            return Show(display, TaskOutcome.Of(e.Failure), AfterTask.Stay);
        }
        var task = checkedIn.Task;
        display.CheckedIn(task, checkedIn.Resumed);

        var context = new TaskContext(server, connection, traffic, disks, progress, display, time,
            FirmwareSteps.Of(root, disks, options.StateFolder), root, () => ListeningInterface.Find(boot.ServerAddress, boot.BootMac), checkedIn.Resumed);
        var outcome = await new TaskRunner(context, new Heartbeat(server, progress, traffic, rate, time)).RunAsync(task, cancel);
        foreach (var note in outcome.Notes)
            display.Say(note);
        var exit = Show(display, outcome, task.After, telling: true);
        await ReportAsync(server, outcome, traffic, boot.Patience, display, cancel);
        display.Say($"peak memory {PeakMemory.MiB()} MiB, sent {Units.MiB(traffic.Sent)} MiB, received {Units.MiB(traffic.Received)} MiB");
        if (exit != ExitCodes.Stay)
            await Task.Delay(options.LastLook, time, cancel);
        return exit;
    }

    private async Task<CheckInResponse> CheckInAsync(
        KernelCommandLine boot, AgentServer server, SystemRoot root, IDisks disks, Display display, CancellationToken cancel)
    {
        var session = new BootSession(options.StateFolder);
        if (session.CheckedIn(boot.BootToken) is { } kept)
        {
            server.Continue(kept.TaskToken);
            return kept with { Resumed = true };
        }
        // Image files do not come late.
        if (disks is MachineDisks)
            await options.DiskSettling.WaitAsync(disks, time, cancel);
        var inventory = InventoryReader.Read(root, disks, boot.BootMac);
        foreach (var disk in inventory.Disks)
            display.Say($"disk {Units.Disk(disk)}, {disk.Bus ?? "unknown bus"}{(disk.Removable ? ", removable" : "")}{(disk.BootMedium ? ", boot medium" : "")}");
        if (NicTable.BootMac(inventory.Nics, boot.BootMac) is not { } mac)
            throw new FailureException("noNetworkCard", Fault.Network, "This machine has no network card that the live system knows.",
                "Build the live image with all drivers (./forge live --drivers full), or use another network card.");
        var response = await server.CheckInAsync(
            new CheckInRequest(boot.BootToken, session.Nonce(), mac.ToString(), inventory, Version, ResumeRecords.Describe(disks, inventory.Disks)),
            boot.Patience < s_checkInPatience ? boot.Patience : s_checkInPatience, cancel);
        session.Keep(boot.BootToken, response);
        return response;
    }

    private static async Task ReportAsync(
        AgentServer server, TaskOutcome outcome, Traffic traffic, TimeSpan patience, Display display, CancellationToken cancel)
    {
        var result = new TaskResult(outcome.State, outcome.Failure, outcome.Summary, outcome.BytesRead, traffic.Sent, traffic.Received, outcome.BytesWritten,
            outcome.Proof, outcome.Notes);
        var known = await server.FinishAsync(result, outcome.State switch
        {
            // A failed machine stays on anyway, so it may as well wait for the server to hear of it.
            HostTaskState.Failed => TimeSpan.MaxValue,
            HostTaskState.Cancelled => s_patienceWhenCancelled,
            _ => patience,
        }, cancel);
        display.Told(known);
    }

    private static int Show(Display display, TaskOutcome outcome, AfterTask after, bool telling = false) =>
        Show(display, outcome, ExitCodes.For(outcome.State, after), telling);

    private static int Show(Display display, TaskOutcome outcome, int exit, bool telling = false)
    {
        display.Ended(outcome, exit switch
        {
            ExitCodes.Reboot => "The machine restarts.",
            ExitCodes.PowerOff => "The machine switches off.",
            _ => "The machine stays on; restart it with Ctrl+Alt+Del.",
        }, telling);
        return exit;
    }

    private string ReadCommandLine()
    {
        try
        {
            return File.ReadAllText(options.CommandLineFile);
        }
        catch (IOException)
        {
            return "";
        }
    }

    private FileStream? OpenConsole()
    {
        try
        {
            return options.Console.Length == 0 ? null : new FileStream(options.Console, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static string Version { get; } = typeof(AgentRun).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
