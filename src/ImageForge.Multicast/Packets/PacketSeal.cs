using System.Buffers.Binary;

namespace ImageForge.Multicast.Packets;

/// <summary>
/// AES-128-GCM over one packet of an epoch, in place: the header is the additional data, the nonce is the epoch's salt and the
/// packet's sequence (NIST SP 800-38D, 8.2.1). Used by one thread at a time.
/// </summary>
public abstract class PacketSeal : IDisposable
{
    public const int KeyBytes = 16, SaltBytes = 4, TagBytes = 16;

    private const int NonceBytes = 12;
    private readonly byte[] _salt;
    private readonly int _fragmentBytes;
    private ulong _sealed;

    private protected PacketSeal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, int fragmentBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeyBytes);
        ArgumentOutOfRangeException.ThrowIfNotEqual(salt.Length, SaltBytes);
        _salt = salt.ToArray();
        _fragmentBytes = fragmentBytes;
    }

    /// <summary>OpenSSL's own interface where it loads: it costs less than half of the framework's per packet.</summary>
    public static PacketSeal Create(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, int fragmentBytes) =>
        OpenSslSeal.IsSupported ? new OpenSslSeal(key, salt, fragmentBytes) : new FrameworkSeal(key, salt, fragmentBytes);

    /// <summary>Seals a packet whose header and content are in place and writes its tag behind them.</summary>
    /// <exception cref="InvalidOperationException">The sequence is not above all that were sealed: a nonce would occur twice, which gives the key away.</exception>
    public void Seal(Span<byte> packet)
    {
        CheckLength(packet);
        var sequence = PacketHeader.ReadSequence(packet);
        if (sequence <= _sealed || sequence >= PacketHeader.SequenceEnd)
            throw new InvalidOperationException($"packet {sequence} after {_sealed}: a sequence is used once and an epoch ends before 2^32 - 1");
        _sealed = sequence;
        Span<byte> nonce = stackalloc byte[NonceBytes];
        WriteNonce(nonce, sequence);
        var content = packet.Slice(PacketHeader.Size, _fragmentBytes);
        Encrypt(nonce, packet[..PacketHeader.Size], content, packet[^TagBytes..]);
    }

    /// <summary>Opens a packet in place. False: it is not from this epoch's sender; its content is then undefined.</summary>
    public bool Open(Span<byte> packet)
    {
        CheckLength(packet);
        Span<byte> nonce = stackalloc byte[NonceBytes];
        WriteNonce(nonce, PacketHeader.ReadSequence(packet));
        var content = packet.Slice(PacketHeader.Size, _fragmentBytes);
        return Decrypt(nonce, packet[..PacketHeader.Size], content, packet[^TagBytes..]);
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    private protected abstract void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, Span<byte> content, Span<byte> tag);

    private protected abstract bool Decrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, Span<byte> content, ReadOnlySpan<byte> tag);

    protected abstract void Dispose(bool disposing);

    private void WriteNonce(Span<byte> nonce, ulong sequence)
    {
        _salt.CopyTo(nonce);
        BinaryPrimitives.WriteUInt64BigEndian(nonce[SaltBytes..], sequence);
    }

    private void CheckLength(Span<byte> packet) =>
        ArgumentOutOfRangeException.ThrowIfNotEqual(packet.Length, PacketHeader.Overhead + _fragmentBytes);
}
