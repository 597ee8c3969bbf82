using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Imaging.Manifests;

/// <summary>
/// The distinct data chunks of an image file, numbered from 0 in the order in which they first occur: disks and volumes in their order,
/// chunks by place. Two that read one file number alike, so a number stands for an id (ImageForge.Multicast/README.md).
/// Keeps 12 to 24 bytes per chunk beside the ids of the image. Immutable and thread-safe.
/// </summary>
public sealed class ChunkNumbers
{
    private readonly ManifestVolume[] _volumes;

    /// <summary>Occurrences of data chunks before each volume.</summary>
    private readonly int[] _before;

    /// <summary>By number: where the id occurs first, counted over all data chunks of the image.</summary>
    private readonly int[] _firsts;

    /// <summary>Hash table with linear probing: number + 1, 0 where nothing is.</summary>
    private readonly int[] _slots;

    /// <summary>Ids are hashes already, but the file that names them may be anybody's: without a secret it could choose them to share one slot.</summary>
    private readonly ulong[] _secret = new ulong[ChunkId.Size / sizeof(ulong)];

    public ChunkNumbers(ImageDisks image)
    {
        _volumes = [.. image.Disks.SelectMany(d => d.Manifest.Volumes)];
        _before = new int[_volumes.Length];
        var all = 0;
        for (var v = 0; v < _volumes.Length; v++)
        {
            _before[v] = all;
            all = checked(all + _volumes[v].Runs.IdCount);
        }
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(_secret.AsSpan()));
        // A power of two that is never more than half full.
        _slots = new int[BitOperations.RoundUpToPowerOf2((uint)Math.Max(2L * all, 2))];
        _firsts = new int[all];
        for (var v = 0; v < _volumes.Length; v++)
        {
            var ids = _volumes[v].Ids.Span;
            for (var i = 0; i < _volumes[v].Runs.IdCount; i++)
            {
                var slot = Find(ids.Slice(i * ChunkId.Size, ChunkId.Size));
                if (_slots[slot] != 0)
                    continue;
                _firsts[Count++] = _before[v] + i;
                _slots[slot] = Count;
            }
        }
        if (Count < all)
            Array.Resize(ref _firsts, Count);
        PlainLengths = new Lengths(this);
    }

    /// <summary>Distinct data chunks.</summary>
    public int Count { get; }

    /// <summary>Plain bytes by number; a view, it takes no memory.</summary>
    public IReadOnlyList<int> PlainLengths { get; }

    /// <exception cref="ArgumentOutOfRangeException">There is no such number.</exception>
    public ChunkId this[int number] => new(Bytes(number));

    /// <summary>Plain bytes of a chunk: those of its first place.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such number.</exception>
    public int PlainLength(int number)
    {
        var (volume, index) = FirstPlace(number);
        // Only a volume's last chunk may be short, and if it is data its id is the volume's last.
        var header = volume.Header;
        var last = header.ChunkCount - 1;
        var (kind, _, _, _, _) = volume.Runs.Run(volume.Runs.RunCount - 1);
        return index == volume.Runs.IdCount - 1 && ChunkRuns.HasId(kind) ? header.ChunkLength(last) : header.ChunkSize;
    }

    /// <summary>False for an id that the image does not hold; then <paramref name="number"/> is -1.</summary>
    public bool TryGetNumber(ChunkId id, out int number)
    {
        Span<byte> bytes = stackalloc byte[ChunkId.Size];
        id.CopyTo(bytes);
        number = _slots[Find(bytes)] - 1;
        return number >= 0;
    }

    /// <summary>The slot that holds the id, or the empty one where it belongs.</summary>
    private int Find(ReadOnlySpan<byte> id)
    {
        var mask = _slots.Length - 1;
        // Multilinear: whoever does not know the secret finds no two ids that collide more often than chance.
        var mixed = 0UL;
        for (var i = 0; i < _secret.Length; i++)
            mixed += _secret[i] * BinaryPrimitives.ReadUInt64LittleEndian(id[(i * sizeof(ulong))..]);
        for (var slot = (int)(mixed >> 33) & mask; ; slot = (slot + 1) & mask)
            if (_slots[slot] == 0 || Bytes(_slots[slot] - 1).SequenceEqual(id))
                return slot;
    }

    private ReadOnlySpan<byte> Bytes(int number)
    {
        var (volume, index) = FirstPlace(number);
        return volume.Ids.Span.Slice(index * ChunkId.Size, ChunkId.Size);
    }

    private (ManifestVolume Volume, int Index) FirstPlace(int number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(number, Count);
        var at = _firsts[number];
        var v = Array.BinarySearch(_before, at);
        if (v < 0)
            v = ~v - 1;
        // Volumes without data chunks begin where the next one does.
        while (at - _before[v] >= _volumes[v].Runs.IdCount)
            v++;
        return (_volumes[v], at - _before[v]);
    }

    private sealed class Lengths(ChunkNumbers numbers) : IReadOnlyList<int>
    {
        public int this[int index] => numbers.PlainLength(index);

        public int Count => numbers.Count;

        public IEnumerator<int> GetEnumerator()
        {
            for (var i = 0; i < numbers.Count; i++)
                yield return numbers.PlainLength(i);
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
