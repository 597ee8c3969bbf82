using System.Buffers.Binary;

namespace ImageForge.Imaging.Imports.Partclone;

/// <summary>The used blocks of an image with the checksums between them.</summary>
internal interface IPartcloneBlocks
{
    /// <summary>The next blocks, verified as far as their checksums have been read.</summary>
    /// <param name="blocks">Whole blocks.</param>
    /// <exception cref="Contracts.FailureException"><c>importDamaged</c>.</exception>
    void Read(Span<byte> blocks);

    /// <summary>After the last block: what is left to be verified.</summary>
    void End();
}

/// <summary>Format 0002: a checksum behind every strip of blocks; the last strip may be short.</summary>
internal sealed class BlocksOf0002(string name, Stream stream, PartcloneHeader header) : IPartcloneBlocks
{
    private readonly Xxh64 _xxh = new();
    private uint _crc = PartcloneCrc.Seed;
    private int _inStrip;
    private long _block;

    public void Read(Span<byte> blocks)
    {
        if (header.BlocksPerChecksum == 0)
        {
            ReadExactly(blocks);
            _block += blocks.Length / header.BlockSize;
            return;
        }
        for (var at = 0; at < blocks.Length;)
        {
            var count = Math.Min((blocks.Length - at) / header.BlockSize, header.BlocksPerChecksum - _inStrip);
            var run = blocks.Slice(at, count * header.BlockSize);
            ReadExactly(run);
            if (header.Checksum == PartcloneChecksum.Xxh64)
                _xxh.Update(run);
            else
                _crc = PartcloneCrc.Update(_crc, run);
            at += run.Length;
            _block += count;
            _inStrip += count;
            if (_inStrip == header.BlocksPerChecksum)
                CheckStrip();
        }
    }

    public void End()
    {
        if (_inStrip > 0)
            CheckStrip();
    }

    private void CheckStrip()
    {
        Span<byte> there = stackalloc byte[header.ChecksumBytes];
        ReadExactly(there);
        var right = header.Checksum == PartcloneChecksum.Xxh64
            ? BinaryPrimitives.ReadUInt64LittleEndian(there) == _xxh.Digest()
            : BinaryPrimitives.ReadUInt32LittleEndian(there) == _crc;
        if (!right)
            throw ImportFailures.Damaged(name, $"a checksum is wrong near its used block {_block}");
        _inStrip = 0;
        if (!header.Reseed)
            return;
        _crc = PartcloneCrc.Seed;
        _xxh.Reset();
    }

    private void ReadExactly(Span<byte> bytes)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw ImportFailures.Damaged(name, $"it ends after {_block} used blocks");
    }
}
