using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Sending;
using ImageForge.Multicast.Tests.Messages;
using ImageForge.Multicast.Tests.Simulation;

namespace ImageForge.Multicast.Tests.Fuzzing;

/// <summary>Messages with changed bytes: read without an exception, and what is read is what the bytes say; a sender outlives all of them.</summary>
public sealed class MessageFuzzTests
{
    private const int Chunks = 1000;

    [Fact]
    public void Changed_messages_of_members_are_read_or_refused()
    {
        var good = MessageTests.Written(MessageTests.OfMember);
        FuzzBytes.Run(good, 60_000, bytes =>
        {
            var read = MessageTests.ReadOfMember(bytes, Chunks, out _);
            var again = MessageTests.Written(read);
            // A join of another version says nothing more; all else is written back byte by byte.
            if (!read.Exists(message => message is JoinMessage { Spoken: not ControlMessage.Version }))
                Assert.True(bytes.AsSpan().StartsWith(again));
        });
    }

    [Fact]
    public void Changed_messages_of_the_sender_are_read_or_refused()
    {
        var good = MessageTests.Written(MessageTests.OfSender);
        FuzzBytes.Run(good, 60_000, bytes => MessageTests.ReadOfSender(bytes, Chunks, out _));
    }

    [Fact]
    public void Changed_announcements_are_read_or_refused()
    {
        var good = new byte[Room.FragmentBytes];
        new Announcement(3, 500, 16, true, [1, 2, 3], [(7, 0, 3), (7, 1, 64)]).Write(good);
        FuzzBytes.Run(good, 60_000, bytes =>
        {
            if (Announcement.TryRead(bytes) is not { } read)
                return;
            var again = new byte[bytes.Length];
            read.Write(again);
            Assert.NotNull(Announcement.TryRead(again));
        });
    }

    /// <summary>A member that says anything, in any order, beside good ones: they are done in time.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_member_that_babbles_harms_only_itself(int seed)
    {
        var random = new Random(seed);
        var alone = new Room(SimulatedRooms.Seed, 400, [.. SimulatedRooms.Same(4, new MemberTraits(Loss: 0.01))]).Run();
        var room = new Room(SimulatedRooms.Seed, 400, [.. SimulatedRooms.Same(4, new MemberTraits(Loss: 0.01))]);
        var liar = room.Sender.Join("liar", new JoinMessage(1, uint.MaxValue, ChunkSet.Full(400)), 0)!.Value;
        room.Run(until: now =>
        {
            for (var i = 0; i < 3; i++)
                now.Sender.Hear(liar, Anything(random, now.Sender, now.Chunks), now.Now);
            return now.Members.All(member => member.EndedAt >= 0);
        });

        Assert.All(room.Members, RoomTests.Complete);
        Assert.True(room.Sender.Refused > 100);
        // It may ask for repair that is worth a sixteenth of the stream, and hold the window closed once.
        Assert.InRange(room.Members.Max(member => member.EndedAt), 0, (1.15 * alone.Members.Max(member => member.EndedAt)) + 300_000);
    }

    private static ControlMessage Anything(Random random, SenderCore sender, int chunks)
    {
        var epoch = random.Next(4) == 0 ? (byte)random.Next(256) : (byte)sender.Epoch;
        ulong Near() => random.Next(3) switch { 0 => sender.Sequence, 1 => (ulong)random.NextInt64((long)sender.Sequence + 2), _ => (ulong)random.NextInt64() };
        return random.Next(4) switch
        {
            0 or 1 => new NackMessage(epoch, Near(), random.Next(3) == 0 ? (uint)random.Next() : (uint)random.Next((int)sender.NextBlock + 1), [.. Enumerable.Range(0, random.Next(6) + 1).Select(_ => (byte)random.Next(65))]),
            2 => new ReportMessage(epoch, Near(), Near(), Near(), Near(), Near(), (uint)random.Next(), (uint)random.Next(500), (uint)random.Next(), MemberLimit.None),
            _ => new LackMessage((uint)random.Next(4), random.Next(2) == 0 ? ChunkSet.Full(chunks) : new ChunkSet(chunks)),
        };
    }
}
