using System.Security.Cryptography;
using ImageForge.Multicast.Packets;

namespace ImageForge.Multicast.Tests.Packets;

public sealed class PacketSealTests
{
    private const int F = 1408;
    private static readonly byte[] Key = Convert.FromHexString("000102030405060708090A0B0C0D0E0F");
    private static readonly byte[] Salt = [0xCA, 0xFE, 0xBA, 0xBE];

    public static TheoryData<string> Kinds => ["OpenSSL", "framework"];

    [Fact]
    public void OpenSsl_is_used_where_it_loads() => Assert.True(OpenSslSeal.IsSupported);

    [Fact]
    public void Both_ways_give_the_same_bytes()
    {
        using var ours = Make("OpenSSL");
        using var frameworks = Make("framework");
        for (ulong sequence = 1; sequence < 200; sequence++)
        {
            var first = Packet(sequence * 7, (int)sequence);
            var second = first.ToArray();
            ours.Seal(first);
            frameworks.Seal(second);
            Assert.Equal(Convert.ToHexString(first), Convert.ToHexString(second));
            Assert.True(ours.Open(second));
            Assert.True(frameworks.Open(first));
            Assert.Equal(first[..^PacketSeal.TagBytes], second[..^PacketSeal.TagBytes]);
        }
    }

    /// <summary>The nonce and the additional data are those of the README, checked against a plain use of AES-GCM.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Nonce_is_salt_and_sequence_and_the_header_is_authenticated(string kind)
    {
        var packet = Packet(0x1122334455, 3);
        var plain = packet.ToArray();
        using var seal = Make(kind);
        // The sequence is above what one epoch may use, so it is sealed by hand.
        using var aes = new AesGcm(Key, 16);
        aes.Encrypt(Convert.FromHexString("CAFEBABE0000001122334455"), plain.AsSpan(28, F), packet.AsSpan(28, F), packet.AsSpan(28 + F), plain.AsSpan(0, 28));
        Assert.True(seal.Open(packet));
        Assert.Equal(plain[..^16], packet[..^16]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_changed_bit_anywhere_is_refused(string kind)
    {
        using var sender = Make(kind);
        using var receiver = Make(kind);
        var packet = Packet(1, 1);
        sender.Seal(packet);
        foreach (var at in Enumerable.Range(0, 44).Concat([500, 28 + F - 1, 28 + F, packet.Length - 1]))
        {
            var changed = packet.ToArray();
            changed[at] ^= 0x10;
            Assert.False(receiver.Open(changed));
        }
        // A refusal leaves nothing behind.
        Assert.True(receiver.Open(packet));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Another_key_or_salt_is_refused(string kind)
    {
        var packet = Packet(1, 1);
        using (var sender = Make(kind))
            sender.Seal(packet);
        using var otherKey = Make(kind, key: RandomNumberGenerator.GetBytes(16));
        using var otherSalt = Make(kind, salt: [0xCA, 0xFE, 0xBA, 0xBF]);
        Assert.False(otherKey.Open(packet.ToArray()));
        Assert.False(otherSalt.Open(packet.ToArray()));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_sequence_is_never_sealed_twice(string kind)
    {
        using var seal = Make(kind);
        seal.Seal(Packet(5, 1));
        Assert.Throws<InvalidOperationException>(() => seal.Seal(Packet(5, 2)));
        Assert.Throws<InvalidOperationException>(() => seal.Seal(Packet(4, 2)));
        Assert.Throws<InvalidOperationException>(() => seal.Seal(Packet(uint.MaxValue, 2)));
        seal.Seal(Packet(6, 2));
    }

    private static PacketSeal Make(string kind, byte[]? key = null, byte[]? salt = null) =>
        kind == "OpenSSL" ? new OpenSslSeal(key ?? Key, salt ?? Salt, F) : new FrameworkSeal(key ?? Key, salt ?? Salt, F);

    private static byte[] Packet(ulong sequence, int seed)
    {
        var packet = new byte[PacketHeader.Overhead + F];
        new Random(seed).NextBytes(packet);
        new PacketHeader(PacketKind.Fragment, 77, sequence, 3, 1 << 20, 1, 5).Write(packet);
        return packet;
    }
}
