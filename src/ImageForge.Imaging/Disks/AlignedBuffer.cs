using System.Buffers;
using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ImageForge.Imaging.Disks;

/// <summary>
/// Memory that starts on a 4096-byte boundary and never moves, as <c>O_DIRECT</c> asks for. Pooled: renting and disposing in a
/// loop allocates no memory worth the name. The content of a fresh buffer is undefined.
/// </summary>
/// <remarks>Pinned arrays and not native memory: a buffer that someone forgets to dispose is collected, and a span that outlives its owner never points at freed memory.</remarks>
public sealed class AlignedBuffer : IMemoryOwner<byte>
{
    public const int Alignment = 4096;

    /// <summary>Idle memory kept by the pool in bytes; what is returned beyond it is left to the collector.</summary>
    private const long MaxPooledBytes = 64L << 20;

    private static readonly ConcurrentBag<byte[]>[] s_pool = [.. Enumerable.Range(0, 31).Select(_ => new ConcurrentBag<byte[]>())];
    private static long s_pooledBytes;

    private readonly int _sizeClass, _start;
    private byte[]? _array;

    private AlignedBuffer(byte[] array, int sizeClass, int length)
    {
        _array = array;
        _sizeClass = sizeClass;
        Length = length;
        _start = StartOf(array);
    }

    /// <summary>Idle memory in the pool right now.</summary>
    internal static long PooledBytes => Interlocked.Read(ref s_pooledBytes);

    /// <summary>Bytes asked for.</summary>
    public int Length { get; }

    public Memory<byte> Memory => Array.AsMemory(_start, Length);

    public Span<byte> Span => Array.AsSpan(_start, Length);

    private byte[] Array => _array ?? throw new ObjectDisposedException(nameof(AlignedBuffer));

    public static AlignedBuffer Rent(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, 1 << 30);
        var sizeClass = Math.Max(12, BitOperations.Log2((uint)length - 1) + 1);
        if (s_pool[sizeClass].TryTake(out var array))
            Interlocked.Add(ref s_pooledBytes, -(1L << sizeClass));
        else
            array = GC.AllocateUninitializedArray<byte>((1 << sizeClass) + Alignment - 1, pinned: true);
        return new AlignedBuffer(array, sizeClass, length);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _array, null) is not { } array)
            return;
        if (Interlocked.Add(ref s_pooledBytes, 1L << _sizeClass) <= MaxPooledBytes)
            s_pool[_sizeClass].Add(array);
        else
            Interlocked.Add(ref s_pooledBytes, -(1L << _sizeClass));
    }

    /// <summary>Leaves all idle memory to the collector.</summary>
    internal static void EmptyPool()
    {
        for (var sizeClass = 0; sizeClass < s_pool.Length; sizeClass++)
            while (s_pool[sizeClass].TryTake(out _))
                Interlocked.Add(ref s_pooledBytes, -(1L << sizeClass));
    }

    private static unsafe int StartOf(byte[] array) =>
        (int)(-(nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array)) & (Alignment - 1));
}
