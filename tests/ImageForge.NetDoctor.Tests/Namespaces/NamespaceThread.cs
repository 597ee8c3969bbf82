using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ImageForge.NetDoctor.Tests.Namespaces;

/// <summary>A thread of its own inside a network namespace; what it opens stays there.</summary>
internal static partial class NamespaceThread
{
    public static void Run(string ns, Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle($"/run/netns/{ns}");
                if (SetNamespace((int)handle.DangerousGetHandle(), 0x40000000) != 0)
                    throw new Win32Exception(Marshal.GetLastSystemError());
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
            throw new InvalidOperationException(failure.Message, failure);
    }

    [LibraryImport("libc", EntryPoint = "setns")]
    private static partial int SetNamespace(int fd, int type);
}
