using System.Text.Json.Serialization;

namespace ImageForge.Contracts;

/// <summary>The state of one host's part of a job: the same names in the database, the API, the agent and on the screen.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<HostTaskState>))]
public enum HostTaskState
{
    Queued, Waking, Booting, CheckedIn, Preparing, Transferring, Verifying, Finishing,
    Succeeded, Failed, Cancelled,
}

[JsonConverter(typeof(CamelCaseEnumConverter<JobKind>))]
public enum JobKind { Capture, Deploy, Inventory }

/// <summary>What the machine does once its task has ended.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<AfterTask>))]
public enum AfterTask { Reboot, PowerOff, Stay }

public static class HostTaskStates
{
    /// <summary>Queued to Finishing: the host must boot the agent.</summary>
    public static bool IsActive(this HostTaskState state) => state < HostTaskState.Succeeded;

    public static bool IsFinal(this HostTaskState state) => state >= HostTaskState.Succeeded;
}
