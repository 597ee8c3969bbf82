using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace ImageForge.Server.StoreCare;

/// <summary>
/// A thread of the lowest priority for processor and disk: nice 19 and the idle class of <c>ioprio_set(2)</c>. Hashing the whole store takes hours;
/// the captures and deploys of those hours should not feel it.
/// </summary>
internal sealed partial class IdleThread : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];

    public IdleThread(string name)
    {
        new Thread(Run) { IsBackground = true, Name = name }.Start();
    }

    public Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (OperationCanceledException e)
            {
                done.SetCanceled(e.CancellationToken);
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    public void Dispose() => _work.CompleteAdding();

    private void Run()
    {
        const int process = 0, thisThread = 0, lowest = 19, idleClass = 3 << 13, ioprioWhoProcess = 1;
        // On Linux a priority belongs to the thread. Either may be refused, in a container for example: then it runs as any other.
        _ = SetPriority(process, thisThread, lowest);
        var ioprioSet = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 30 : 251;
        _ = SystemCall(ioprioSet, ioprioWhoProcess, thisThread, idleClass);
        foreach (var work in _work.GetConsumingEnumerable())
            work();
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int value);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, nint which, nint who, nint value);
}
