using System.Security.Cryptography;

namespace ImageForge.Multicast.Packets;

/// <summary>OpenSSL's EVP interface with one context for the whole epoch: about 400 ns per packet, genuine or forged.</summary>
internal sealed unsafe class OpenSslSeal : PacketSeal
{
    /// <summary>OpenSSL 3 is there: a shared library, or linked into a static program.</summary>
    public static readonly bool IsSupported = Probe();

    // A context keeps its direction; a sender seals only and a receiver opens only, so the other one is not made.
    private readonly byte[] _key;
    private nint _sealing;
    private nint _opening;

    public OpenSslSeal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, int fragmentBytes)
        : base(key, salt, fragmentBytes) => _key = key.ToArray();

    ~OpenSslSeal() => Dispose(false);

    private protected override void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, Span<byte> content, Span<byte> tag)
    {
        if (_sealing == 0)
            _sealing = NewContext(LibCrypto.EncryptKey);
        int length;
        fixed (byte* n = nonce, h = header, c = content, t = tag)
        {
            if (LibCrypto.EncryptNonce(_sealing, 0, 0, null, n) != 1
                || LibCrypto.EncryptUpdate(_sealing, null, &length, h, header.Length) != 1
                || LibCrypto.EncryptUpdate(_sealing, c, &length, c, content.Length) != 1
                || LibCrypto.EncryptFinal(_sealing, c, &length) != 1
                || LibCrypto.Control(_sealing, LibCrypto.GetTag, TagBytes, t) != 1)
                throw new CryptographicException("OpenSSL did not seal a packet");
        }
    }

    private protected override bool Decrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, Span<byte> content, ReadOnlySpan<byte> tag)
    {
        if (_opening == 0)
            _opening = NewContext(LibCrypto.DecryptKey);
        int length;
        fixed (byte* n = nonce, h = header, c = content, t = tag)
        {
            return LibCrypto.DecryptNonce(_opening, 0, 0, null, n) == 1
                && LibCrypto.Control(_opening, LibCrypto.SetTag, TagBytes, t) == 1
                && LibCrypto.DecryptUpdate(_opening, null, &length, h, header.Length) == 1
                && LibCrypto.DecryptUpdate(_opening, c, &length, c, content.Length) == 1
                && LibCrypto.DecryptFinal(_opening, c, &length) == 1;
        }
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var context in (nint[])[Interlocked.Exchange(ref _sealing, 0), Interlocked.Exchange(ref _opening, 0)])
            if (context != 0)
                LibCrypto.FreeContext(context);
        CryptographicOperations.ZeroMemory(_key);
    }

    private nint NewContext(LibCrypto.KeyInit init)
    {
        var context = LibCrypto.NewContext();
        fixed (byte* key = _key)
        {
            if (context != 0 && init(context, LibCrypto.Aes128Gcm(), 0, key, null) == 1)
                return context;
        }
        LibCrypto.FreeContext(context);
        throw new CryptographicException("OpenSSL has no AES-128-GCM");
    }

    private static bool Probe()
    {
        try
        {
            var context = LibCrypto.NewContext();
            LibCrypto.FreeContext(context);
            return context != 0 && LibCrypto.Aes128Gcm() != 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }
}
