namespace ImageForge.Bench.Imaging;

/// <summary>What the kernel remembers of a disk decides half of a measurement.</summary>
internal static class Caches
{
    /// <summary>Everything written reaches its disk and nothing read stays in memory, so that no run pays for the one before.</summary>
    public static void Drop()
    {
        Settle();
        File.WriteAllText("/proc/sys/vm/drop_caches", "3\n");
    }

    /// <summary>For a warm run: the writes of the run before end here and not inside the clock.</summary>
    public static void Settle() => Shell.Run("sync");
}
