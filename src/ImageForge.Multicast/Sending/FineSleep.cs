using System.Runtime.InteropServices;

namespace ImageForge.Multicast.Sending;

/// <summary>Sleeps shorter than a millisecond, which the framework rounds up: at 1 Gbit/s a batch leaves every 0.5 ms.</summary>
internal static partial class FineSleep
{
    public static void Microseconds(long microseconds)
    {
        var time = new Timespec { Seconds = microseconds / 1_000_000, Nanoseconds = microseconds % 1_000_000 * 1000 };
        // Interrupted it is only shorter; whoever waits looks at the clock again.
        _ = NanoSleep(time, 0);
    }

    // time.h of 64-bit systems; the full name, which the static agent links (DirectPInvoke in its project file).
    [LibraryImport("libc.so.6", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in Timespec time, nint left);

    private struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
