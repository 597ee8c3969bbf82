using System.Security.Cryptography;

namespace ImageForge.Multicast.Packets;

/// <summary>The framework's AES-GCM: runs everywhere, at about 900 ns per packet and 2700 ns per forgery.</summary>
internal sealed class FrameworkSeal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, int fragmentBytes) : PacketSeal(key, salt, fragmentBytes)
{
    private readonly AesGcm _aes = new(key, TagBytes);

    private protected override void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, Span<byte> content, Span<byte> tag) =>
        _aes.Encrypt(nonce, content, content, tag, header);

    private protected override bool Decrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, Span<byte> content, ReadOnlySpan<byte> tag)
    {
        try
        {
            _aes.Decrypt(nonce, content, tag, content, header);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    protected override void Dispose(bool disposing) => _aes.Dispose();
}
