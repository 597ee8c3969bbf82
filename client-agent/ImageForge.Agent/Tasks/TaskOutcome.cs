using ImageForge.Contracts;

namespace ImageForge.Agent.Tasks;

/// <summary>How the task ended.</summary>
/// <param name="State">Succeeded, Failed or Cancelled.</param>
/// <param name="Summary">One sentence for people.</param>
/// <param name="BytesRead">Plain bytes read from the disk.</param>
/// <param name="BytesWritten">Plain bytes written to the disk.</param>
internal sealed record TaskOutcome(HostTaskState State, Failure? Failure, string Summary, long BytesRead = 0, long BytesWritten = 0)
{
    /// <summary>What a success stands for.</summary>
    public TaskProof? Proof { get; init; }

    /// <summary>Remarks for people.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Disks that now hold the image.</summary>
    public IReadOnlyList<DiskInventory> Written { get; init; } = [];

    public static TaskOutcome Of(Failure failure) => failure.Fault == Fault.Cancelled
        ? new TaskOutcome(HostTaskState.Cancelled, failure, failure.Sentence)
        : new TaskOutcome(HostTaskState.Failed, failure, failure.Sentence);
}
