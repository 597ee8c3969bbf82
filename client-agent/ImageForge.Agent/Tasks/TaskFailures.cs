using ImageForge.Contracts;
using ImageForge.Imaging.Disks;

namespace ImageForge.Agent.Tasks;

/// <summary>Turns whatever came out of a task into the one sentence and the one cure that people see.</summary>
internal static class TaskFailures
{
    public static readonly Failure Cancelled = new("cancelled", Fault.Cancelled, "The job was cancelled on the server.", "Nothing to do: the machine restarts.");

    public static Failure Of(Exception e) => e switch
    {
        FailureException failure => failure.Failure,
        DiskException disk => disk.ToFailure(),
        OutOfMemoryException => new Failure("outOfMemory", Fault.Server, "The machine has too little free memory for this job.",
            "Capture with a smaller chunk size, or give the machine 1 GiB or more."),
        _ => new Failure("agentBug", Fault.Server, $"The agent met an error it does not know: {e.GetType().Name}: {e.Message}",
            "Report this with the task's log, which has the full text; starting the machine again may help."),
    };
}
