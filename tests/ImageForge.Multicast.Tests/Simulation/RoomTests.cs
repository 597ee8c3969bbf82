using Xunit.Abstractions;

namespace ImageForge.Multicast.Tests.Simulation;

/// <summary>Whole sessions in virtual time. The seed is fixed: a run is the same each time.</summary>
public sealed class RoomTests(ITestOutputHelper output)
{
    private const int Seed = 4;
    private const int Chunks = 400;

    [Fact]
    public void Four_members_without_loss_take_the_time_of_the_wire()
    {
        var room = Run(Same(4, new MemberTraits()));
        Assert.All(room.Members, Complete);
        Assert.Equal(0, room.Sender.ParityPackets);
        Assert.InRange(Last(room), 0, 1.15 * WireSeconds);
    }

    [Fact]
    public void One_percent_of_loss_costs_less_than_twice_what_the_worst_loses()
    {
        var room = Run(Same(4, new MemberTraits(Loss: 0.01)));
        Assert.All(room.Members, Complete);
        var worst = room.Members.Max(member => member.Lost);
        Assert.InRange(room.Sender.ParityPackets, worst, 2 * worst);
        Assert.InRange(Last(room), 0, 1.25 * WireSeconds);
    }

    private static IEnumerable<MemberTraits> Same(int count, MemberTraits traits) => Enumerable.Repeat(traits, count);

    private static double WireSeconds => Chunks * (double)Room.ChunkBytes / Room.FragmentBytes / 84_000;

    private static double Last(Room room) => room.Members.Max(member => member.EndedAt) / 1e6;

    private static void Complete(SimulatedMember member) => Assert.True(member.EndedAt >= 0 && member.LackingAtEnd == 0, $"member {member.Index} lacks {member.LackingAtEnd}, ended at {member.EndedAt}");

    private Room Run(IEnumerable<MemberTraits> members, int chunks = Chunks)
    {
        var room = new Room(Seed, chunks, [.. members]).Run();
        output.WriteLine($"{room.Now / 1e6:F2} s, wire {WireSeconds:F2}, passes {room.Sender.Pass}, {room.Packets} packets, repair {room.RepairShare:P2}, {room.MessagesPerSecond} messages/s, refused {room.Sender.Refused}, kept {room.Sender.OldestBlock}");
        foreach (var group in room.Members.GroupBy(member => member.Traits))
            output.WriteLine($"{group.Count()} x {group.Key}: ended {group.Min(m => m.EndedAt) / 1e6:F2}..{group.Max(m => m.EndedAt) / 1e6:F2}, lacking {group.Sum(m => m.LackingAtEnd)}, lost {group.Max(m => m.Lost)}, joins {group.Max(m => m.Joins)}");
        return room;
    }
}
