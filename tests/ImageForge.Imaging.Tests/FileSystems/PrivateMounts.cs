using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>
/// Runs work in a mount namespace of its own. A mount others can see is copied into every namespace they make meanwhile, and then stays
/// mounted there after our umount: the volume under test would still be in use.
/// </summary>
internal static partial class PrivateMounts
{
    private const int CLONE_NEWNS = 0x20000;

    public static void Run(Action work)
    {
        ExceptionDispatchInfo? failure = null;
        // The namespace belongs to the thread, and to the processes it starts.
        var thread = new Thread(() =>
        {
            try
            {
                if (Unshare(CLONE_NEWNS) != 0)
                    throw new InvalidOperationException($"unshare failed with {Marshal.GetLastPInvokeError()}: these tests mount file systems and must run as root");
                Shell.Run("mount", "--make-rprivate", "/");
                work();
            }
            catch (Exception error)
            {
                failure = ExceptionDispatchInfo.Capture(error);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);
}
