namespace ImageForge.Imaging.Deploy;

/// <summary>When what is already on the disk is compared before it is fetched.</summary>
public enum CompareWith
{
    /// <summary>Only with a disk that carries the resume record of this manifest; any other does not pay for the reading.</summary>
    ResumedDisk,

    /// <summary>A resumed disk always; any other volume by volume, if samples show that it holds so much of the image that reading it is cheaper than writing it.</summary>
    Auto,

    /// <summary>Always: worth it when the disk probably holds an older version of the image.</summary>
    AnyDisk,
}

/// <param name="ReadBack">Read everything written back from the device and compare.</param>
/// <param name="HostTaskId">Recorded in the resume record.</param>
/// <param name="FetchesInFlight">Chunks being fetched at the same time.</param>
/// <param name="FlushEveryBytes">Bytes written between two flushes: what a power cut can cost at most, and the resume fetches again.</param>
/// <param name="Grower">Grows the file system of a partition that fills the disk; null: only the partition grows.</param>
public sealed record DeployOptions(bool ReadBack = true, long HostTaskId = 0, int FetchesInFlight = 6, CompareWith Compare = CompareWith.Auto, long FlushEveryBytes = 256 << 20, Resize.IVolumeGrower? Grower = null)
{
    /// <summary>Reads at the same time when the disk is compared or read back.</summary>
    public int ReadsInFlight { get; init; } = 4;

    /// <summary>Writes at the same time; they begin in disk order.</summary>
    public int WritesInFlight { get; init; } = 3;
}

public enum DeployPhase { Preparing, Transferring, Verifying, Finishing }
