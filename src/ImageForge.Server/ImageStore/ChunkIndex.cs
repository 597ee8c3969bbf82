using System.Buffers.Binary;
using System.Security.Cryptography;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Server.ImageStore;

/// <param name="StoredBytes">Of its frame when the version was sealed.</param>
internal readonly record struct IndexedChunk(ChunkId Id, uint StoredBytes);

/// <summary>
/// The different chunks of one manifest, sorted, in 256 partitions by the first byte of the id: a sweep reads one partition of every
/// version at a time. Made from the manifest and made again when it is missing or damaged; each part carries its own checksum,
/// because a sweep removes what no index names.
/// <code>
///      0  8  magic IFIDX 0D 0A 1A
///      8  4  version, 1 (little-endian as all numbers here)
///     12  4  n, number of chunks
///     16  256 × 20  per partition: number of chunks u32, first 16 bytes of the SHA-256 of its records
///   5136  32  SHA-256 of everything before
///   5168  n × 36  records in ascending order: id, stored bytes u32
/// </code>
/// </summary>
internal static class ChunkIndex
{
    public const int Partitions = 256;

    private const int RecordSize = ChunkId.Size + 4;
    private const int ChecksumSize = 16;
    private const int EntrySize = 4 + ChecksumSize;
    private const int TableAt = 16;
    private const int HashAt = TableAt + (Partitions * EntrySize);
    private const int RecordsAt = HashAt + 32;
    private const uint Version = 1;

    private static ReadOnlySpan<byte> Magic => "IFIDX\r\n\u001a"u8;

    public static byte PartitionOf(ChunkId id)
    {
        Span<byte> bytes = stackalloc byte[ChunkId.Size];
        id.CopyTo(bytes);
        return bytes[0];
    }

    /// <param name="chunks">Ascending and different.</param>
    public static byte[] Write(IReadOnlyList<IndexedChunk> chunks)
    {
        var file = new byte[RecordsAt + (chunks.Count * RecordSize)];
        Span<int> counts = stackalloc int[Partitions];
        for (var i = 0; i < chunks.Count; i++)
        {
            var record = file.AsSpan(RecordsAt + (i * RecordSize), RecordSize);
            chunks[i].Id.CopyTo(record);
            BinaryPrimitives.WriteUInt32LittleEndian(record[ChunkId.Size..], chunks[i].StoredBytes);
            counts[record[0]]++;
        }
        Magic.CopyTo(file);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(12), chunks.Count);
        var at = RecordsAt;
        for (var partition = 0; partition < Partitions; partition++)
        {
            var entry = file.AsSpan(TableAt + (partition * EntrySize), EntrySize);
            var length = counts[partition] * RecordSize;
            BinaryPrimitives.WriteInt32LittleEndian(entry, counts[partition]);
            Checksum(file.AsSpan(at, length)).AsSpan(0, ChecksumSize).CopyTo(entry[4..]);
            at += length;
        }
        Checksum(file.AsSpan(0, HashAt)).CopyTo(file.AsSpan(HashAt));
        return file;
    }

    /// <summary>The chunks of one partition, ascending; null: this is no sound index.</summary>
    public static IndexedChunk[]? ReadPartition(Stream file, byte partition)
    {
        var head = new byte[RecordsAt];
        file.Position = 0;
        if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length
            || !head.AsSpan(0, Magic.Length).SequenceEqual(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(8)) != Version
            || !Checksum(head.AsSpan(0, HashAt)).AsSpan().SequenceEqual(head.AsSpan(HashAt, 32)))
            return null;
        long before = 0, all = 0;
        for (var i = 0; i < Partitions; i++)
        {
            var count = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(TableAt + (i * EntrySize)));
            all += count;
            if (i < partition)
                before += count;
        }
        var own = head.AsSpan(TableAt + (partition * EntrySize), EntrySize);
        var records = BinaryPrimitives.ReadUInt32LittleEndian(own);
        // The length first: what a header claims must not decide how much memory is taken.
        if (all != BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(12)) || file.Length != RecordsAt + (all * RecordSize) || records > int.MaxValue / RecordSize)
            return null;
        var bytes = new byte[records * RecordSize];
        file.Position = RecordsAt + (before * RecordSize);
        return file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length
            && Checksum(bytes).AsSpan(0, ChecksumSize).SequenceEqual(own[4..])
            ? Records(bytes, partition)
            : null;
    }

    private static IndexedChunk[]? Records(byte[] bytes, byte partition)
    {
        var chunks = new IndexedChunk[bytes.Length / RecordSize];
        for (var i = 0; i < chunks.Length; i++)
        {
            var record = bytes.AsSpan(i * RecordSize, RecordSize);
            chunks[i] = new IndexedChunk(new ChunkId(record[..ChunkId.Size]), BinaryPrimitives.ReadUInt32LittleEndian(record[ChunkId.Size..]));
            if (record[0] != partition || i > 0 && chunks[i].Id <= chunks[i - 1].Id)
                return null;
        }
        return chunks;
    }

    private static byte[] Checksum(ReadOnlySpan<byte> bytes) => SHA256.HashData(bytes);
}
