using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Compare;

/// <summary>The disk of an image as it would be after a deploy, read from the chunks; what nothing uses reads as zeros. Nothing is unpacked to a file.</summary>
public sealed class StoredDisk(string name, Manifest manifest, IChunkSource source) : IBlockDevice
{
    /// <summary>Chunks kept unpacked: readers go forward, several at once.</summary>
    private const int Kept = 8;

    private readonly Lock _lock = new();
    private readonly LinkedList<(ManifestVolume Volume, int Index, byte[] Plain)> _recent = new();
    private readonly ChunkContent _content = new(source);

    public string Name { get; } = name;
    public long SizeBytes => manifest.DiskSizeBytes;
    public int SectorSize => manifest.SectorSize;
    public bool IsReadOnly => true;

    public void Read(long offset, Span<byte> buffer)
    {
        DiskRange.Check(this, "read", offset, buffer.Length);
        buffer.Clear();
        foreach (var region in manifest.Regions)
            Overlay(offset, buffer, region.Offset, region.Bytes.Span);
        foreach (var volume in manifest.Volumes)
        {
            var partition = volume.Header.Partition;
            if (partition.Offset >= offset + buffer.Length || partition.End <= offset)
                continue;
            var first = (int)(Math.Max(0, offset - partition.Offset) / volume.Header.ChunkSize);
            for (var index = first; index < volume.ChunkCount && partition.Offset + (long)index * volume.Header.ChunkSize < offset + buffer.Length; index++)
                if (volume[index].Kind == ChunkKind.Data)
                    Overlay(offset, buffer, partition.Offset + (long)index * volume.Header.ChunkSize, Plain(volume, index));
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data) => throw new DiskException(Name, "write", offset, Errno.EROFS, "it is an image");

    public void WriteZeros(long offset, long length) => throw new DiskException(Name, "write", offset, Errno.EROFS, "it is an image");

    public void Flush() { }

    public void Dispose() => _content.Dispose();

    private byte[] Plain(ManifestVolume volume, int index)
    {
        lock (_lock)
        {
            for (var node = _recent.First; node is not null; node = node.Next)
                if (node.Value.Volume == volume && node.Value.Index == index)
                    return node.Value.Plain;
            var plain = _content.Read(volume[index], CancellationToken.None).ToArray();
            _recent.AddFirst((volume, index, plain));
            if (_recent.Count > Kept)
                _recent.RemoveLast();
            return plain;
        }
    }

    private static void Overlay(long offset, Span<byte> buffer, long at, ReadOnlySpan<byte> bytes)
    {
        var from = Math.Max(offset, at);
        var to = Math.Min(offset + buffer.Length, at + bytes.Length);
        if (from < to)
            bytes[(int)(from - at)..(int)(to - at)].CopyTo(buffer[(int)(from - offset)..]);
    }
}
