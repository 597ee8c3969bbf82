using System.Buffers.Binary;
using ImageForge.Multicast.Blocks;
using ImageForge.Multicast.Sending;

namespace ImageForge.Multicast.Messages;

/// <summary>What a sealed announcement tells all members: pass u32, members u16, share u8, sent u8, pacers u8 and u16 each, entries u16 and 8 bytes each.</summary>
/// <param name="Members">Members of the session, for the spacing of messages.</param>
/// <param name="Share">Rows that a group gets at most per 256 of its fragments; who needs more waits for the next pass.</param>
/// <param name="Sent">All rows that were announced before were sent before.</param>
/// <param name="Scheduled">Parity rows of groups that are sent or will be, counted from row 0.</param>
internal sealed record Announcement(uint Pass, int Members, byte Share, bool Sent, IReadOnlyList<int> Pacers, IReadOnlyList<(uint Block, int Group, int Rows)> Scheduled)
{
    private const int Head = 9;

    /// <summary>Entries that fit into a fragment beside the most pacers.</summary>
    public static int MostEntries(int fragmentBytes) => (fragmentBytes - Head - (2 * StepKeeping.MostPacers) - 2) / 8;

    /// <summary>Writes it and zeros behind it.</summary>
    public void Write(Span<byte> fragment)
    {
        fragment.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(fragment, Pass);
        BinaryPrimitives.WriteUInt16BigEndian(fragment[4..], (ushort)Members);
        fragment[6] = Share;
        fragment[7] = Sent ? (byte)1 : (byte)0;
        fragment[8] = (byte)Pacers.Count;
        var at = Head;
        foreach (var pacer in Pacers)
        {
            BinaryPrimitives.WriteUInt16BigEndian(fragment[at..], (ushort)pacer);
            at += 2;
        }
        BinaryPrimitives.WriteUInt16BigEndian(fragment[at..], (ushort)Scheduled.Count);
        at += 2;
        foreach (var (block, group, rows) in Scheduled)
        {
            BinaryPrimitives.WriteUInt32BigEndian(fragment[at..], block);
            BinaryPrimitives.WriteUInt16BigEndian(fragment[(at + 4)..], (ushort)group);
            BinaryPrimitives.WriteUInt16BigEndian(fragment[(at + 6)..], (ushort)rows);
            at += 8;
        }
    }

    /// <summary>Null: it is none. It verified, so somebody with the key made it; that is no reason to believe its lengths.</summary>
    public static Announcement? TryRead(ReadOnlySpan<byte> fragment)
    {
        if (fragment.Length < Head + 2)
            return null;
        int pacers = fragment[8], at = Head + (2 * pacers);
        if (pacers > StepKeeping.MostPacers || at + 2 > fragment.Length)
            return null;
        var entries = BinaryPrimitives.ReadUInt16BigEndian(fragment[at..]);
        if (at + 2 + (8 * entries) > fragment.Length)
            return null;
        var numbers = new int[pacers];
        for (var i = 0; i < pacers; i++)
            numbers[i] = BinaryPrimitives.ReadUInt16BigEndian(fragment[(Head + (2 * i))..]);
        var scheduled = new (uint, int, int)[entries];
        for (var i = 0; i < entries; i++)
        {
            var entry = fragment.Slice(at + 2 + (8 * i), 8);
            var rows = BinaryPrimitives.ReadUInt16BigEndian(entry[6..]);
            if (rows > BlockShape.MaxRows)
                return null;
            scheduled[i] = (BinaryPrimitives.ReadUInt32BigEndian(entry), BinaryPrimitives.ReadUInt16BigEndian(entry[4..]), rows);
        }
        return new Announcement(BinaryPrimitives.ReadUInt32BigEndian(fragment), BinaryPrimitives.ReadUInt16BigEndian(fragment[4..]), fragment[6], fragment[7] == 1, numbers, scheduled);
    }
}
