using System.Buffers.Binary;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Nbd;

/// <summary>
/// A disk behind an NBD server. One request at a time, which a server on the same machine answers at memory speed; whatever it
/// answers that is not in the protocol ends the connection with a sentence.
/// </summary>
internal sealed class NbdDevice : IBlockDevice
{
    private const int Piece = 1 << 20;
    private const long ZeroPiece = 64L << 20;

    private readonly Stream _stream;
    private readonly IDisposable? _server;
    private readonly NbdExport _export;
    private readonly Lock _turn = new();
    private ulong _cookie;
    private bool _broken;

    /// <param name="stream">Connected; belongs to the device from now on, as does <paramref name="server"/>.</param>
    /// <param name="name">For people: the file behind it.</param>
    /// <exception cref="DiskException">The negotiation failed.</exception>
    public NbdDevice(Stream stream, string name, int sectorSize, bool readOnly, IDisposable? server)
    {
        (_stream, _server, Name, SectorSize) = (stream, server, name, sectorSize);
        try
        {
            _export = NbdHandshake.Run(stream, name, "");
            if (!readOnly && (_export.Flags & NbdWire.ReadOnly) != 0)
                throw new DiskException(name, "open", 0, Errno.EROFS, Errno.Text(Errno.EROFS));
            if (_export.MinimumBlock > sectorSize)
                throw NbdHandshake.Unexpected(name, $"it wants blocks of {_export.MinimumBlock} bytes");
        }
        catch (Exception e)
        {
            stream.Dispose();
            server?.Dispose();
            if (e is IOException and not DiskException)
                throw NbdHandshake.Unexpected(name, "it hung up");
            throw;
        }
        IsReadOnly = readOnly;
        SizeBytes = _export.SizeBytes / sectorSize * sectorSize;
    }

    public string Name { get; }
    public long SizeBytes { get; }
    public int SectorSize { get; }
    public bool IsReadOnly { get; }

    private int MaxPiece => Math.Min(Piece, _export.MaximumBlock / SectorSize * SectorSize);

    public void Read(long offset, Span<byte> buffer)
    {
        DiskRange.Check(this, "read", offset, buffer.Length);
        for (var done = 0; done < buffer.Length;)
        {
            var piece = buffer.Slice(done, Math.Min(MaxPiece, buffer.Length - done));
            Ask("read", NbdWire.Read, offset + done, piece.Length, [], piece);
            done += piece.Length;
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        DiskRange.CheckWrite(this, "write", offset, data.Length);
        for (var done = 0; done < data.Length;)
        {
            var piece = data.Slice(done, Math.Min(MaxPiece, data.Length - done));
            Ask("write", NbdWire.Write, offset + done, piece.Length, piece, []);
            done += piece.Length;
        }
    }

    public void WriteZeros(long offset, long length)
    {
        DiskRange.CheckWrite(this, "write", offset, length);
        var can = (_export.Flags & NbdWire.SendWriteZeroes) != 0;
        ReadOnlySpan<byte> zeros = can ? [] : new byte[(int)Math.Min(length, MaxPiece)];
        for (long done = 0; done < length;)
        {
            var piece = (int)Math.Min(can ? ZeroPiece : MaxPiece, length - done);
            if (can)
                Ask("write zeros", NbdWire.WriteZeroes, offset + done, piece, [], []);
            else
                Ask("write", NbdWire.Write, offset + done, piece, zeros[..piece], []);
            done += piece;
        }
    }

    public void Flush()
    {
        if ((_export.Flags & NbdWire.SendFlush) != 0)
            Ask("flush", NbdWire.Flush, 0, 0, [], []);
    }

    public void Dispose()
    {
        lock (_turn)
        {
            try
            {
                if (!_broken)
                    Send(NbdWire.Disconnect, 0, 0);
            }
            catch (IOException)
            {
                // It is gone already.
            }
            _broken = true;
            _stream.Dispose();
        }
        // Only now: the server writes its own tables when the last client has left.
        _server?.Dispose();
    }

    private void Ask(string operation, ushort type, long offset, int length, ReadOnlySpan<byte> data, Span<byte> answer)
    {
        lock (_turn)
        {
            if (_broken)
                throw new DiskException(Name, operation, offset, Errno.ENODEV, "the NBD server is gone");
            try
            {
                Send(type, offset, length);
                _stream.Write(data);
                _stream.Flush();
                Span<byte> reply = stackalloc byte[NbdWire.ReplyBytes];
                _stream.ReadExactly(reply);
                if (BinaryPrimitives.ReadUInt32BigEndian(reply) != NbdWire.SimpleReplyMagic || BinaryPrimitives.ReadUInt64BigEndian(reply[8..]) != _cookie)
                {
                    _broken = true;
                    throw new DiskException(Name, operation, offset, 0, "the NBD server answers something else");
                }
                // The protocol's error numbers are those of Linux.
                if (BinaryPrimitives.ReadUInt32BigEndian(reply[4..]) is var error and not 0)
                    throw new DiskException(Name, operation, offset, (int)Math.Min(error, 4095), Errno.Text((int)Math.Min(error, 4095)));
                _stream.ReadExactly(answer);
            }
            catch (IOException e) when (e is not DiskException)
            {
                _broken = true;
                throw new DiskException(Name, operation, offset, Errno.ENODEV, "the NBD server hung up");
            }
        }
    }

    private void Send(ushort type, long offset, int length)
    {
        Span<byte> request = stackalloc byte[NbdWire.RequestBytes];
        BinaryPrimitives.WriteUInt32BigEndian(request, NbdWire.RequestMagic);
        BinaryPrimitives.WriteUInt16BigEndian(request[4..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(request[6..], type);
        BinaryPrimitives.WriteUInt64BigEndian(request[8..], ++_cookie);
        BinaryPrimitives.WriteInt64BigEndian(request[16..], offset);
        BinaryPrimitives.WriteInt32BigEndian(request[24..], length);
        _stream.Write(request);
    }
}
