using Xunit.Abstractions;

namespace ImageForge.Multicast.Tests.Simulation;

/// <summary>Whole sessions in virtual time. The seed is fixed: a run is the same each time, so that a bound that holds holds.</summary>
public sealed class RoomTests(ITestOutputHelper output)
{
    [Fact]
    public void Four_members_without_loss_take_the_time_of_the_wire()
    {
        var room = Run(SimulatedRooms.FourClean);
        Assert.All(room.Members, Complete);
        Assert.Equal(0, room.Sender.ParityPackets);
        Assert.InRange(Last(room), 0, 1.15 * room.WireSeconds);
    }

    [Fact]
    public void One_percent_of_loss_costs_less_than_twice_what_the_worst_loses()
    {
        var room = Run(SimulatedRooms.FourLosing);
        Assert.All(room.Members, Complete);
        var worst = room.Members.Max(member => member.Lost);
        Assert.InRange(room.Sender.ParityPackets, worst, 2 * worst);
        Assert.InRange(Last(room), 0, 1.25 * room.WireSeconds);
    }

    /// <summary>The seven or more that are well take the time they take without the others, and the others end, too.</summary>
    [Theory]
    [InlineData(nameof(SimulatedRooms.Lossy))]
    [InlineData(nameof(SimulatedRooms.Pausing))]
    [InlineData(nameof(SimulatedRooms.SlowDisk))]
    [InlineData(nameof(SimulatedRooms.Rebooted))]
    [InlineData(nameof(SimulatedRooms.Late))]
    public void A_bad_member_costs_the_majority_less_than_a_tenth(string what)
    {
        var alone = Run(SimulatedRooms.EightGood);
        var room = Run(SimulatedRooms.ByName(what));
        var good = room.Members.Take(alone.Members.Count).ToList();

        Assert.All(good, Complete);
        Assert.InRange(good.Max(member => member.EndedAt), 0, 1.1 * alone.Members.Max(member => member.EndedAt));
        Assert.All(room.Members, member => Assert.True(member.EndedAt >= 0));
        Assert.All(room.Members.Where(member => member.Traits.Loss < 0.2), Complete);
    }

    [Fact]
    public void A_member_that_joins_in_the_middle_is_done_soon_after_the_others()
    {
        var room = Run(new RoomPlan("", 2000, [.. SimulatedRooms.Same(8, new MemberTraits()), new(JoinAt: 0.5)]));
        var others = room.Members.Take(8).Max(member => member.EndedAt);
        Assert.InRange(room.Members[8].EndedAt - others, 0, 0.6 * others);
    }

    /// <summary>The short passes for who lacks a little are no proof that the stream does not help who lacks much.</summary>
    [Fact]
    public void A_late_member_is_not_sent_to_http_by_passes_that_were_for_another()
    {
        var room = Run(SimulatedRooms.LateBesideLossy);
        Assert.All(room.Members, member => Assert.InRange(member.LackingAtEnd, 0, 16));
        Assert.InRange(Last(room), 0, 3 * room.WireSeconds);
    }

    [Fact]
    public void A_member_at_a_quarter_of_the_speed_takes_the_time_of_its_disk()
    {
        var room = Run(SimulatedRooms.SlowDisk);
        var disk = room.Chunks * (double)Room.ChunkBytes / room.Members[^1].Traits.Disk;
        Assert.InRange(room.Members[^1].EndedAt / 1e6, 0, 1.1 * disk);
    }

    /// <summary>Loss that everybody has is not congestion: the pace gives way and takes it back.</summary>
    [Theory]
    [InlineData(0.05, 2.2)]
    [InlineData(0.2, 3.5)]
    public void Loss_that_everybody_has_is_repaired_and_does_not_hold_the_pace_down(double loss, double times)
    {
        var room = Run(new RoomPlan("", 1000, [.. SimulatedRooms.Same(8, new MemberTraits(Loss: loss))]));
        Assert.All(room.Members, member => Assert.InRange(member.LackingAtEnd, 0, 16));
        Assert.InRange(Last(room), 0, times * room.WireSeconds);
    }

    [Fact]
    public void A_switch_of_a_tenth_of_the_speed_is_filled_and_not_flooded()
    {
        var room = new Room(SimulatedRooms.Seed, 500, [.. SimulatedRooms.Same(8, new MemberTraits())], switchRate: 8_400).Run();
        Print("switch", room);
        Assert.All(room.Members, Complete);
        Assert.InRange(Last(room), 0, 1.15 * 10 * room.WireSeconds);
        Assert.InRange(room.Members.Max(member => member.Missed) / (double)room.Packets, 0, 0.05);
    }

    [Fact]
    public void A_cap_is_kept()
    {
        var room = new Room(SimulatedRooms.Seed, 200, [.. SimulatedRooms.Same(4, new MemberTraits(Loss: 0.01))], packetsPerSecond: 10_000).Run();
        Print("cap", room);
        Assert.All(room.Members, Complete);
        Assert.InRange(room.Packets / Last(room), 9_000, 10_100);
    }

    [Fact]
    public void Slow_and_jittery_feedback_is_borne()
    {
        var room = Run(SimulatedRooms.FarAway);
        Assert.All(room.Members, Complete);
        Assert.InRange(Last(room), 0, 1.35 * room.WireSeconds);
        Assert.InRange(room.RepairShare, 0, 0.03);
    }

    /// <summary>As many messages as a server takes without noticing, also when everybody loses something of nearly every block.</summary>
    [Theory]
    [InlineData(nameof(SimulatedRooms.HallClean))]
    [InlineData(nameof(SimulatedRooms.HallLosing))]
    [InlineData(nameof(SimulatedRooms.HallMixed))]
    public void Five_hundred_members_say_less_than_2000_messages_a_second(string what)
    {
        var room = Run(SimulatedRooms.ByName(what));
        Assert.Equal(500, room.Members.Count);
        Assert.InRange(room.MessagesPerSecond, 1, 2000);
        Assert.All(room.Members, member => Assert.True(member.EndedAt >= 0));
        Assert.All(room.Members.Where(member => member.Traits.Loss < 0.2), member => Assert.InRange(member.LackingAtEnd, 0, 16));
    }

    [Fact]
    public void A_run_with_the_same_seed_is_the_same_run()
    {
        var (one, other) = (SimulatedRooms.Lossy.Result, new Room(SimulatedRooms.Seed, SimulatedRooms.Lossy.Chunks, SimulatedRooms.Lossy.Members).Run());
        Assert.Equal((one.Now, one.Packets, one.Messages), (other.Now, other.Packets, other.Messages));
    }

    internal static void Complete(SimulatedMember member) =>
        Assert.True(member.EndedAt >= 0 && member.LackingAtEnd == 0, $"member {member.Index} {member.Traits} lacks {member.LackingAtEnd}, ended at {member.EndedAt}");

    private static double Last(Room room) => room.Members.Max(member => member.EndedAt) / 1e6;

    private Room Run(RoomPlan plan)
    {
        var room = plan.Result;
        Print(plan.What, room);
        return room;
    }

    private void Print(string what, Room room)
    {
        output.WriteLine($"{what}: {room.Now / 1e6:F2} s, wire {room.WireSeconds:F2}, passes {room.Sender.Pass}, {room.Packets} packets, repair {room.RepairShare:P2}, {room.MessagesPerSecond} messages/s, refused {room.Sender.Refused}");
        foreach (var group in room.Members.GroupBy(member => member.Traits))
            output.WriteLine($"{group.Count()} x {group.Key}: ended {group.Min(m => m.EndedAt) / 1e6:F2}..{group.Max(m => m.EndedAt) / 1e6:F2}, lacking {group.Max(m => m.LackingAtEnd)}, lost {group.Max(m => m.Lost)}, joins {group.Max(m => m.Joins)}");
    }
}
