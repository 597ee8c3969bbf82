using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Disks;

/// <summary>A loop device over a sparse file in memory: a real block device of the kernel.</summary>
internal sealed class LoopDevice : IDisposable
{
    public LoopDevice(long bytes, int sectorSize = 512, bool readOnly = false)
    {
        File = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"imageforge-loop-{Guid.CreateVersion7():N}");
        using (var file = System.IO.File.Create(File))
            file.SetLength(bytes);
        string[] options = readOnly ? ["--read-only"] : [];
        Node = Shell.Run("losetup", ["--find", "--show", "--sector-size", $"{sectorSize}", .. options, File]).Trim();
    }

    public string File { get; }

    /// <summary>As <c>/dev/loop3</c>.</summary>
    public string Node { get; }

    /// <summary>Takes the end of the disk away while it is open, as a pulled plug does.</summary>
    public void ShrinkTo(long bytes)
    {
        using (var file = System.IO.File.OpenWrite(File))
            file.SetLength(bytes);
        Shell.Run("losetup", "--set-capacity", Node);
    }

    public void Dispose()
    {
        Shell.Run("losetup", "--detach", Node);
        System.IO.File.Delete(File);
    }
}
