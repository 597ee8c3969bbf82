using System.Collections;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>What a running deploy remembers until the end: which chunks are right on the disk, which of them it wrote, and the heads it holds back.</summary>
internal sealed class DeployState(WritePlan plan)
{
    private readonly BitArray[] _written = [.. plan.Manifest.Volumes.Select(v => new BitArray(v.ChunkCount))];
    private readonly BitArray[] _kept = [.. plan.Manifest.Volumes.Select(v => new BitArray(v.ChunkCount))];

    /// <summary>First bytes of each volume, by its position in the manifest; null where they stay zero.</summary>
    public byte[]?[] Heads { get; } = new byte[]?[plan.Manifest.Volumes.Count];

    public void MarkWritten(int volume, int chunk)
    {
        // Neighbours share a word of the bits and may be written by different threads.
        lock (_written)
            _written[volume][chunk] = true;
    }

    /// <summary>Was right on the disk before anything was written.</summary>
    public void MarkKept(int volume, in ManifestChunk chunk)
    {
        lock (_kept)
            _kept[volume][chunk.Index] = true;
        // A head of zeros is held back too: without a partition table the resume record lies in it.
        if (chunk.Kind == ChunkKind.Zero)
            HoldBack(volume, chunk, default);
    }

    /// <summary>Nothing is left to do for this chunk before the heads are written.</summary>
    public bool IsDone(int volume, int chunk) => _written[volume][chunk] || _kept[volume][chunk];

    /// <summary>Keeps what of the volume's head lies in this chunk.</summary>
    /// <param name="plain">Empty for a zero chunk.</param>
    public void HoldBack(int volume, in ManifestChunk chunk, ReadOnlySpan<byte> plain)
    {
        var length = plan.HeadBytes(plan.Manifest.Volumes[volume].Header);
        if (chunk.VolumeOffset >= length)
            return;
        byte[] head;
        lock (Heads)
            head = Heads[volume] ??= new byte[length];
        if (!plain.IsEmpty)
            plain[..(int)Math.Min(length - chunk.VolumeOffset, chunk.Length)].CopyTo(head.AsSpan((int)chunk.VolumeOffset));
    }

    /// <summary>The start of the chunk as far as it is held back; empty if none of it is.</summary>
    public ReadOnlySpan<byte> HeldBack(int volume, in ManifestChunk chunk) => Heads[volume] is { } head && chunk.VolumeOffset < head.Length
        ? head.AsSpan((int)chunk.VolumeOffset, (int)Math.Min(head.Length - chunk.VolumeOffset, chunk.Length))
        : default;

    public bool IsWritten(int volume, int chunk) => _written[volume][chunk];

    public long WrittenUsedBytes(Manifest manifest) => manifest.Volumes
        .Select((volume, v) => volume.Chunks().Where(c => IsWritten(v, c.Index)).Sum(c => volume.UsedBytesOf(c)))
        .Sum();
}
