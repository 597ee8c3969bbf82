using ImageForge.Contracts;

namespace ImageForge.Agent;

/// <summary>What the live image's supervisor does when the agent ends. Every other code is a crash: it starts the agent again, a few times.</summary>
internal static class ExitCodes
{
    public const int Reboot = 0;
    public const int PowerOff = 10;
    public const int Stay = 11;

    /// <summary>A machine whose task failed never restarts by itself, or it would fail again for ever. A check-in that came too late does (AgentRun).</summary>
    public static int For(HostTaskState ended, AfterTask after) => (ended, after) switch
    {
        (HostTaskState.Cancelled, _) => Reboot,
        (HostTaskState.Succeeded, AfterTask.Reboot) => Reboot,
        (HostTaskState.Succeeded, AfterTask.PowerOff) => PowerOff,
        _ => Stay,
    };
}
