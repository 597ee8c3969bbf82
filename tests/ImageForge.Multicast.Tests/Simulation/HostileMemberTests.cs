using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Packets;

namespace ImageForge.Multicast.Tests.Simulation;

/// <summary>Members that know the key and mean harm, beside good ones. Times are microseconds.</summary>
public sealed class HostileMemberTests
{
    private const int Chunks = 400;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_member_that_joins_again_and_again_with_a_small_window_holds_nobody_up(bool reports)
    {
        var alone = FourGood().Run();
        var room = FourGood();
        int? number = null;
        room.Run(seconds: 30, until: now =>
        {
            if (now.Now > 100_000 && now.Now % 150_000 == 0)
            {
                if (number is { } before)
                    now.Sender.Gone(before, now.Now);
                // Who says nothing needs no name to be known by.
                number = now.Sender.Join(reports ? "loop" : $"loop {now.Now}", new JoinMessage(1, 1, ChunkSet.Full(Chunks)), now.Now)!.Value;
                if (reports)
                    now.Sender.Hear(number.Value, Report(now, 0), now.Now);
            }
            return false;
        });

        Assert.All(room.Members, RoomTests.Complete);
        Assert.InRange(Last(room), 0, (1.1 * Last(alone)) + 500_000);
    }

    [Fact]
    public void A_forged_sequence_that_members_took_costs_a_new_key_and_not_the_stream()
    {
        var alone = FourGood().Run();
        var room = FourGood().Run(until: now => now.Now >= 400_000);
        Forge(room);
        room.Run(seconds: 30);

        Assert.Equal(2u, room.Sender.Epoch);
        Assert.All(room.Members, RoomTests.Complete);
        Assert.InRange(Last(room), 0, Last(alone) + 3_500_000);
    }

    [Fact]
    public void The_second_time_everybody_goes_on_over_http_at_once()
    {
        var room = FourGood().Run(until: now => now.Now >= 400_000);
        Forge(room);
        room.Run(seconds: 30, until: now => now.Sender.Epoch == 2);
        var again = room.Now + 100_000;
        room.Run(seconds: 30, until: now => now.Now >= again);
        Forge(room);
        room.Run(seconds: 30);

        Assert.All(room.Members, member => Assert.InRange(member.EndedAt, again, again + 500_000));
    }

    [Fact]
    public void Who_says_alone_that_sequences_are_forged_ends_no_epoch()
    {
        var room = FourGood();
        var liar = room.Sender.Join("liar", new JoinMessage(1, 4096, ChunkSet.Full(Chunks)), 0)!.Value;
        room.Run(seconds: 30, until: now =>
        {
            now.Sender.Hear(liar, Report(now, now.Sender.Sequence + 1_000_000), now.Now);
            return false;
        });

        Assert.Equal(1u, room.Sender.Epoch);
        Assert.All(room.Members, RoomTests.Complete);
    }

    /// <summary>One more member that never comes keeps the room alive after the good ones.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_member_that_never_tells_the_truth_about_what_it_lacks_is_sent_to_http(bool answers)
    {
        var room = new Room(SimulatedRooms.Seed, Chunks, [.. SimulatedRooms.Same(2, new MemberTraits()), new(JoinAt: 9)]);
        var mute = room.Sender.Join("mute", new JoinMessage(1, 4096, ChunkSet.Full(Chunks)), 0)!.Value;
        room.Run(seconds: 60, until: now =>
        {
            if (now.Now % 10_000 == 0)
                now.Sender.Hear(mute, Report(now, now.Sender.Sequence), now.Now);
            // In turns half of the chunks and all of them: as if each second pass had helped.
            if (answers && now.Now % 100_000 == 0)
                now.Sender.Hear(mute, new LackMessage(now.Sender.Pass, now.Sender.Pass % 2 == 1 ? Half() : ChunkSet.Full(Chunks)), now.Now);
            return now.Now > 1_000_000 && now.Sender.Members.All(member => member.Finished);
        });

        Assert.All(room.Sender.Members, member => Assert.True(member.Finished));
        Assert.All(room.Members.Take(2), RoomTests.Complete);
        Assert.InRange(room.Now, 0, 25_000_000);
    }

    private static Room FourGood() => new(SimulatedRooms.Seed, Chunks, [.. SimulatedRooms.Same(4, new MemberTraits(Loss: 0.003))]);

    private static double Last(Room room) => room.Members.Max(member => member.EndedAt);

    /// <summary>A packet that a member made with the key reaches the others.</summary>
    private static void Forge(Room room)
    {
        foreach (var member in room.Members.Skip(1))
            Assert.True(member.Core.Verified(PacketKind.Announcement, uint.MaxValue - 2, 0, room.Now));
    }

    private static ReportMessage Report(Room room, ulong highest) => new((byte)room.Sender.Epoch, highest, highest, 0, 0, 0, 0, Chunks, 0, MemberLimit.None);

    private static ChunkSet Half()
    {
        var half = new ChunkSet(Chunks);
        half.AddRun(0, Chunks / 2);
        return half;
    }
}
