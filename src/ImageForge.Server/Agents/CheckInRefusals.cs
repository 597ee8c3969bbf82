using ImageForge.Contracts;
using ImageForge.Server.Boot;
using ImageForge.Server.Hosts;
using ImageForge.Server.Jobs;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace ImageForge.Server.Agents;

/// <summary>Every reason why a check-in is refused, each with its cure. Except where it says so, nothing about the task changes.</summary>
internal static class CheckInRefusals
{
    private const string RestartCure = "Restart the machine; it fetches a new boot script with a new token.";

    public static readonly Failure VersionGone = new("versionGone", Fault.Image,
        "The image version of this task no longer exists.", "Order the job again with a version that exists.");

    public static CheckInAnswer OfToken(TokenRedemption redeemed) => redeemed.Outcome switch
    {
        TokenOutcome.OtherNonce => new CheckInAnswer.Refused(Status403Forbidden,
            new Failure("bootTokenCopied", Fault.Network, "This boot token was already used by another agent.",
                $"Somebody on the network may have copied it: look for a machine that pretends to be {redeemed.Mac}. {RestartCure}"),
            redeemed.Mac.ToString(), redeemed.Mac),
        TokenOutcome.Expired => new CheckInAnswer.Refused(Status401Unauthorized,
            new Failure("bootTokenExpired", Fault.Network, "This boot token has expired.", RestartCure), null, redeemed.Mac),
        _ => new CheckInAnswer.Refused(Status401Unauthorized,
            new Failure("bootTokenUnknown", Fault.Network, "This boot token is not known: it was replaced by a newer boot of this machine, or it was never given out.", RestartCure), null, null),
    };

    public static CheckInAnswer TaskGone(MacAddress mac) =>
        new CheckInAnswer.Refused(Status409Conflict, new Failure("taskGone", Fault.Server, "The task of this boot no longer exists.", RestartCure), null, mac);

    public static CheckInAnswer TaskEnded(HostTask task, MacAddress mac) =>
        task.State == HostTaskState.Cancelled ? Cancelled(mac) : new CheckInAnswer.Refused(Status409Conflict,
            new Failure("taskEnded", Fault.Server, $"Task {task.Id} has ended already.", RestartCure), null, mac);

    public static CheckInAnswer Cancelled(MacAddress mac) =>
        new CheckInAnswer.Refused(Status409Conflict, new Failure("cancelled", Fault.Cancelled, "The task was cancelled.", "Nothing to do; the machine restarts."), null, mac);

    public static CheckInAnswer TakenOver(Host host, MacAddress mac) =>
        new CheckInAnswer.Refused(Status409Conflict,
            new Failure("takenOver", Fault.Network, $"Another boot of {host.Name} has taken this task over.", RestartCure), null, mac);

    public static CheckInAnswer NotApproved(Host host, MacAddress mac) =>
        new CheckInAnswer.Refused(Status403Forbidden,
            new Failure("hostNotApproved", Fault.Server, $"Host {host.Name} is not approved.", "Approve the host, then restart the machine."), host.Name, mac);

    public static CheckInAnswer OtherMac(Host host, MacAddress mac, string? told) =>
        new CheckInAnswer.Refused(Status403Forbidden,
            new Failure("macMismatch", Fault.Network, $"The token was given to {mac}, the agent says it started from {DeviceText.Limit(told) ?? "no network card"}.",
                $"Restart the machine; if it happens again, check the network cards in the record of {host.Name}."), host.Name, mac);

    public static CheckInAnswer OtherMachine(Host host, MacAddress mac, string difference) =>
        new CheckInAnswer.Refused(Status403Forbidden,
            new Failure("identityMismatch", Fault.Server, $"This is not the machine the task is for: {difference}.",
                $"If the mainboard of {host.Name} was replaced, delete the host and approve it anew; if not, find out who uses its MAC."), host.Name, mac);

    public static CheckInAnswer OtherDisk(Host host, MacAddress mac, string before, string now) =>
        new CheckInAnswer.Refused(Status403Forbidden,
            new Failure("targetDiskMismatch", Fault.Disk, $"The task began on disk \"{before}\", and the disk it would use now is \"{now}\".",
                $"Put the first disk back into {host.Name} and restart it, or cancel the task and order it again."), host.Name, mac);

    /// <summary>The task is Failed.</summary>
    public static CheckInAnswer OfDisk(Failure refusal, Host host, MacAddress mac) =>
        new CheckInAnswer.Refused(Status409Conflict, refusal, host.Name, mac);

    /// <summary>The task is Failed.</summary>
    public static CheckInAnswer NoProgress(Host host, MacAddress mac) =>
        new CheckInAnswer.Refused(Status409Conflict,
            new Failure("noProgress", Fault.Disk, $"The agent started {HostTaskStore.MaxResumesWithoutProgress + 1} times without getting any further; the task has failed.",
                "Check the machine's disk, memory and power, then order the job again."), host.Name, mac);
}
