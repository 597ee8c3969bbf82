namespace ImageForge.Agent;

/// <summary>The largest resident set of this process so far: VmHWM in /proc/self/status (proc(5)).</summary>
internal static class PeakMemory
{
    public static long MiB()
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("VmHWM:", StringComparison.Ordinal) && long.TryParse(line.AsSpan(6).Trim().TrimEnd("kB").Trim(), out var kibibytes))
                return kibibytes / 1024;
        }
        return 0;
    }
}
