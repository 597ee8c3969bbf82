namespace ImageForge.Bench.Imaging;

/// <summary>What people use today: partclone and zstd in a pipe, as FOG and Clonezilla run them; their output made durable.</summary>
internal static class Peer
{
    public static Spent Capture(MadeDisk disk, string file)
    {
        File.Delete(file);
        using var partition = disk.AttachPartition();
        return Shell.Pipe("\"$1\" -c -s \"$2\" -o - -L /dev/null | zstd -3 -T0 -q > \"$3\" && sync \"$3\"", disk.PartcloneProgram, partition.Path, file);
    }

    public static Spent Restore(string file, MadeDisk target)
    {
        using var partition = target.AttachPartition();
        return Shell.Pipe("zstd -dcq \"$1\" | partclone.restore -s - -o \"$2\" -L /dev/null && sync \"$2\"", file, partition.Path);
    }
}
