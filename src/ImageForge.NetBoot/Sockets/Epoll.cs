using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ImageForge.NetBoot.Sockets;

/// <summary>
/// epoll(7), level-triggered, reading only. The kernel's event structure is 32 bits of events and 64 bits of data,
/// packed to 12 bytes on x86-64 and padded to 16 elsewhere.
/// </summary>
internal sealed unsafe class Epoll : IDisposable
{
    private static readonly bool Packed = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86;
    private static readonly int Stride = Packed ? 12 : 16, DataOffset = Packed ? 4 : 8;

    private readonly int _fd;
    private readonly int _wake;
    private readonly byte[] _events;

    /// <summary>The data that <see cref="Wait"/> returns after <see cref="Wake"/>.</summary>
    public const ulong Woken = ulong.MaxValue;

    public Epoll(int capacity = 256)
    {
        _events = GC.AllocateArray<byte>(capacity * Stride, pinned: true);
        _fd = Check(Libc.EpollCreate(Libc.CloseOnExec));
        _wake = Check(Libc.EventDescriptor(0, Libc.CloseOnExec | Libc.NonBlocking));
        Add(_wake, Woken);
    }

    public void Add(int fd, ulong data)
    {
        var @event = stackalloc byte[16];
        *(uint*)@event = Libc.EpollIn;
        *(ulong*)(@event + DataOffset) = data;
        Check(Libc.EpollControl(_fd, Libc.EpollAdd, fd, @event));
    }

    /// <summary>Waits for readable descriptors; −1 waits for ever.</summary>
    /// <returns>How many are ready; their data through <see cref="Data"/>.</returns>
    public int Wait(int milliseconds)
    {
        fixed (byte* events = _events)
        {
            var count = Libc.EpollWait(_fd, events, _events.Length / Stride, milliseconds);
            return count >= 0 ? count
                : Marshal.GetLastSystemError() == Libc.Interrupted ? 0
                : throw new Win32Exception(Marshal.GetLastSystemError());
        }
    }

    public ulong Data(int index) => BitConverter.ToUInt64(_events, index * Stride + DataOffset);

    /// <summary>Ends the current or the next <see cref="Wait"/>; from any thread.</summary>
    public void Wake()
    {
        var one = 1ul;
        _ = Libc.Write(_wake, &one, sizeof(ulong));
    }

    private static int Check(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastSystemError());

    public void Dispose()
    {
        _ = Libc.Close(_wake);
        _ = Libc.Close(_fd);
    }
}
