using System.Buffers.Binary;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Nbd;

/// <summary>What an export told about itself.</summary>
/// <param name="Flags">Transmission flags, see <see cref="NbdWire"/>.</param>
/// <param name="MinimumBlock">Requests are multiples of this many bytes.</param>
/// <param name="MaximumBlock">A read or write asks for at most this many bytes.</param>
internal sealed record NbdExport(long SizeBytes, ushort Flags, int MinimumBlock, int MaximumBlock);

/// <summary>
/// The fixed newstyle negotiation of the NBD protocol (NetworkBlockDevice/nbd, doc/proto.md), everything big-endian:
/// <code>
/// server: "NBDMAGIC" "IHAVEOPT" flags u16
/// client: flags u32, then "IHAVEOPT" 7 (NBD_OPT_GO) u32, length u32, name length u32, name, requests u16 (3: block size)
/// server: any number of 3e889045565a9 u64, option u32, type u32, length u32, data; types 3 = information, 1 = done, bit 31 = refused
/// </code>
/// </summary>
internal static class NbdHandshake
{
    /// <summary>A server has three things to say; more than this many replies is no server.</summary>
    private const int MaxReplies = 64;

    private const int MaxReplyBytes = 64 << 10;

    public static NbdExport Run(Stream stream, string name, string exportName)
    {
        Span<byte> greeting = stackalloc byte[18];
        stream.ReadExactly(greeting);
        if (!greeting.StartsWith("NBDMAGICIHAVEOPT"u8))
            throw Unexpected(name, "it does not greet like an NBD server");
        var flags = BinaryPrimitives.ReadUInt16BigEndian(greeting[16..]);
        if ((flags & NbdWire.FixedNewstyle) == 0)
            throw Unexpected(name, "it knows only the old negotiation");
        stream.Write(Ask(flags, exportName));
        stream.Flush();
        return ReadReplies(stream, name);
    }

    private static byte[] Ask(ushort flags, string exportName)
    {
        var export = System.Text.Encoding.UTF8.GetBytes(exportName);
        var ask = new byte[4 + 16 + 4 + export.Length + 2 + 2];
        BinaryPrimitives.WriteUInt32BigEndian(ask, (uint)(flags & (NbdWire.FixedNewstyle | NbdWire.NoZeroes)));
        "IHAVEOPT"u8.CopyTo(ask.AsSpan(4));
        BinaryPrimitives.WriteUInt32BigEndian(ask.AsSpan(12), NbdWire.OptionGo);
        BinaryPrimitives.WriteInt32BigEndian(ask.AsSpan(16), ask.Length - 20);
        BinaryPrimitives.WriteInt32BigEndian(ask.AsSpan(20), export.Length);
        export.CopyTo(ask.AsSpan(24));
        BinaryPrimitives.WriteUInt16BigEndian(ask.AsSpan(24 + export.Length), 1);
        BinaryPrimitives.WriteUInt16BigEndian(ask.AsSpan(26 + export.Length), NbdWire.InfoBlockSize);
        return ask;
    }

    private static NbdExport ReadReplies(Stream stream, string name)
    {
        long size = -1;
        ushort flags = 0;
        // Without NBD_INFO_BLOCK_SIZE a client may count on these.
        int minimum = 512, maximum = 32 << 20;
        Span<byte> head = stackalloc byte[20];
        for (var replies = 0; replies < MaxReplies; replies++)
        {
            stream.ReadExactly(head);
            var type = BinaryPrimitives.ReadUInt32BigEndian(head[12..]);
            var length = BinaryPrimitives.ReadUInt32BigEndian(head[16..]);
            if (BinaryPrimitives.ReadUInt64BigEndian(head) != NbdWire.ReplyMagic || BinaryPrimitives.ReadUInt32BigEndian(head[8..]) != NbdWire.OptionGo)
                throw Unexpected(name, "its answer is not one to the question");
            if (length > MaxReplyBytes)
                throw Unexpected(name, $"an answer of {length} bytes is too long");
            var data = new byte[length];
            stream.ReadExactly(data);
            if ((type & NbdWire.RefusedBit) != 0)
                throw Unexpected(name, $"it refused the export: {System.Text.Encoding.UTF8.GetString(data)}");
            if (type == NbdWire.ReplyDone)
                return size > 0 && minimum <= 4096 && maximum >= 4096 ? new NbdExport(size, flags, minimum, maximum) : throw Unexpected(name, "it did not tell a usable size");
            if (type != NbdWire.ReplyInformation || length < 2)
                continue;
            switch (BinaryPrimitives.ReadUInt16BigEndian(data))
            {
                case NbdWire.InfoExport when length == 12:
                    size = (long)Math.Min(BinaryPrimitives.ReadUInt64BigEndian(data.AsSpan(2)), 1UL << 60);
                    flags = BinaryPrimitives.ReadUInt16BigEndian(data.AsSpan(10));
                    break;
                case NbdWire.InfoBlockSize when length == 14:
                    minimum = Clamp(BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(2)));
                    maximum = Clamp(BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(10)));
                    break;
                default:
                    break;
            }
        }
        throw Unexpected(name, "it never comes to an end");
    }

    private static int Clamp(uint bytes) => (int)Math.Clamp(bytes, 1, 1 << 30);

    public static DiskException Unexpected(string name, string why) => new(name, "open", 0, 0, $"its NBD server is of no use: {why}");
}
