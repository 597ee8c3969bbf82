using ImageForge.Contracts;

namespace ImageForge.Server.Jobs;

/// <summary>Whether a job's wish for multicast makes sense by itself, whatever the network.</summary>
internal static class MulticastForm
{
    private const int MaxMinutes = 24 * 60;

    /// <summary>Null: nothing is wrong.</summary>
    public static OrderOutcome? Problem(CreateJobRequest request)
    {
        if (request.Multicast is not { } choice)
            return null;
        if (request.Kind != JobKind.Deploy)
            return Invalid("Only a deploy can be multicast.", "Leave \"multicast\" out.");
        if (request.DryRun)
            return Invalid("A dry run fetches nothing that could be multicast.", "Leave out either \"multicast\" or \"dryRun\".");
        if (choice.Start == MulticastStart.FirstHost && (choice.WaitForHosts is not null || choice.WaitMinutes is not null))
            return Invalid("A session that starts with the first host waits for nobody.", "Give \"start\": \"scheduled\", or leave waitForHosts and waitMinutes out.");
        // Two addresses of one machine are one host; who then waits for more than there are is helped by the minutes, or by "start now".
        if (choice.WaitForHosts is { } hosts && (hosts < 1 || hosts > request.Hosts.Count))
            return Invalid($"The job has {request.Hosts.Count} hosts, so it cannot wait for {hosts}.", $"Give waitForHosts from 1 to {request.Hosts.Count}, or leave it out for all of them.");
        return choice.WaitMinutes is < 1 or > MaxMinutes
            ? Invalid($"waitMinutes is 1 to {MaxMinutes}.", "Leave it out for 10 minutes from the first machine.")
            : null;
    }

    private static OrderOutcome Invalid(string sentence, string cure) => OrderOutcome.Refused(RefusalKind.Invalid, "badMulticast", sentence, cure);
}
