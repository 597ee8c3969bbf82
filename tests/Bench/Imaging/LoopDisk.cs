namespace ImageForge.Bench.Imaging;

/// <summary>An image file as a block device, without a page cache of its own below it (direct I/O to the file).</summary>
internal sealed class LoopDisk : IDisposable
{
    private LoopDisk(string path) => Path = path;

    public string Path { get; }

    public static LoopDisk Attach(string file) =>
        new(Shell.Run("losetup", "--find", "--show", "--direct-io=on", file).Trim());

    /// <summary>Only the partition, as partclone wants it.</summary>
    public static LoopDisk AttachPartition(string file, long offset, long length) =>
        new(Shell.Run("losetup", "--find", "--show", "--direct-io=on", $"--offset={offset}", $"--sizelimit={length}", file).Trim());

    public void Dispose() => Shell.Run("losetup", "--detach", Path);
}
