using System.Globalization;

namespace ImageForge.Bench.Imaging;

/// <summary>A GPT disk with one file system, in a file.</summary>
/// <param name="FileSystem"><c>ext4</c> or <c>ntfs</c>.</param>
internal sealed record MadeDisk(string File, string FileSystem, long DiskBytes)
{
    private const long PartitionOffset = 1 << 20;

    /// <summary>The second GPT takes the end; whole MiB so that every tool agrees on the size.</summary>
    private long PartitionBytes => DiskBytes - (2 << 20);

    public string PartcloneProgram => "partclone." + FileSystem;

    public LoopDisk AttachPartition() => LoopDisk.AttachPartition(File, PartitionOffset, PartitionBytes);

    /// <summary>Tables and an empty file system.</summary>
    public void Format()
    {
        Truncate();
        var sectors = string.Create(CultureInfo.InvariantCulture, $"1:{PartitionOffset / 512}:{(PartitionOffset + PartitionBytes) / 512 - 1}");
        Shell.Run("sgdisk", "-n", sectors, "-t", FileSystem == "ntfs" ? "1:0700" : "1:8300", File);
        using var partition = AttachPartition();
        if (FileSystem == "ntfs")
            Shell.Run("mkfs.ntfs", "-q", "-f", partition.Path);
        else
            Shell.Run("mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=0,lazy_journal_init=0", partition.Path);
    }

    /// <summary>Lets <paramref name="work"/> change the files; returns once they are in the image.</summary>
    /// <param name="trim">Freed blocks lose their content, as on an SSD with its weekly fstrim.</param>
    public void Mounted(Action<string> work, bool trim = false)
    {
        using var partition = AttachPartition();
        var folder = File + ".mount";
        Directory.CreateDirectory(folder);
        if (FileSystem == "ntfs")
            Shell.Run("ntfs-3g", "-o", "big_writes", partition.Path, folder);
        else
            Shell.Run("mount", "-t", "ext4", partition.Path, folder);
        try
        {
            work(folder);
            if (trim)
                Shell.Run("bash", "-c", "sync -f \"$0\"; fstrim \"$0\"", folder);
        }
        finally
        {
            Shell.Run("sync", "-f", folder);
            Shell.Run("umount", folder);
            Directory.Delete(folder);
        }
        // ntfs-3g goes on closing the volume after umount has returned.
        Shell.Run("bash", "-c", "for i in $(seq 300); do fuser -s \"$0\" || exit 0; sleep 0.1; done; exit 1", partition.Path);
    }

    /// <summary>The same disk in another file.</summary>
    public MadeDisk CopyTo(string file)
    {
        Shell.Run("cp", "--sparse=always", File, file);
        return this with { File = file };
    }

    /// <summary>A disk that holds only zeros, every block of its file allocated and written: later writes cost what they cost on a disk.</summary>
    public void FillWithZeros()
    {
        System.IO.File.Delete(File);
        Shell.Run("dd", "if=/dev/zero", "of=" + File, "bs=4M", $"count={DiskBytes >> 22}", "oflag=direct");
    }

    private void Truncate()
    {
        System.IO.File.Delete(File);
        Shell.Run("truncate", "-s", DiskBytes.ToString(CultureInfo.InvariantCulture), File);
    }
}
