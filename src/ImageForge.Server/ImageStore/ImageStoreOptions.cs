namespace ImageForge.Server.ImageStore;

/// <summary>Section <c>ImageForge:Store</c>.</summary>
internal sealed class ImageStoreOptions
{
    public const string Section = "ImageForge:Store";

    /// <summary>Null: <c>store</c> in the data folder. Its own file system is welcome.</summary>
    public string? Folder { get; set; }

    /// <summary>Bytes of the store's file system that chunks never take: the database beside it must be able to record that the disk is full.</summary>
    public long ReserveBytes { get; set; } = 64L << 20;

    /// <summary>After this many new chunks the store is synced in the background, so that an unclean start has little to hash again.</summary>
    public int CheckpointChunks { get; set; } = 4096;

    /// <summary>A chunk or manifest younger than this is never swept.</summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long a capture that says nothing keeps what it sent; when it comes back later, it asks again what is missing.</summary>
    public TimeSpan LeaseLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>The hour of the day, local time, of the nightly sweep; negative: never.</summary>
    public int SweepHour { get; set; } = 3;

    /// <summary>How long a chunk that went bad is kept in quarantine.</summary>
    public TimeSpan QuarantineLifetime { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Frames held in memory at once while they are received and checked.</summary>
    public long UploadMemoryBytes { get; set; } = 256L << 20;

    /// <summary>Manifests held in memory at once while they are received and parsed.</summary>
    public long ManifestMemoryBytes { get; set; } = 512L << 20;
}
