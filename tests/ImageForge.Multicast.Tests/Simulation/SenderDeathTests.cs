using Xunit.Abstractions;

namespace ImageForge.Multicast.Tests.Simulation;

public sealed class SenderDeathTests(ITestOutputHelper output)
{
    [Fact]
    public void A_sender_killed_again_and_again_goes_on_where_members_are_and_never_repeats_a_nonce()
    {
        var room = new Room(SimulatedRooms.Seed, 800, [.. SimulatedRooms.Same(6, new MemberTraits(Loss: 0.01)), new(Loss: 0.1)]) { Nonces = [] };
        long packets = 0;
        for (var killed = 0; killed < 6; killed++)
        {
            var next = room.Now + 350_000;
            room.Run(until: now => now.Now >= next);
            packets = room.Packets;
            room.KillSender();
        }
        room.Run();

        output.WriteLine($"{room.Now / 1e6:F2} s, wire {room.WireSeconds:F2}, {room.Packets} packets, epoch {room.Sender.Epoch}");
        Assert.True(packets > 0 && room.Sender.Epoch == 7);
        Assert.Equal(room.Packets, room.Nonces!.Count);
        Assert.All(room.Members.Take(6), RoomTests.Complete);
        // Each death costs the pass that it broke off, not what members have.
        Assert.InRange(room.Now / 1e6, 0, 3.5 * room.WireSeconds);
    }

    [Fact]
    public void A_key_is_changed_before_its_sequences_end()
    {
        const ulong end = 40_000;
        var room = new Room(SimulatedRooms.Seed, 800, [.. SimulatedRooms.Same(4, new MemberTraits(Loss: 0.01))], sequenceEnd: end) { Nonces = [] }.Run();

        output.WriteLine($"{room.Now / 1e6:F2} s, wire {room.WireSeconds:F2}, {room.Packets} packets, epoch {room.Sender.Epoch}");
        Assert.True(room.Sender.Epoch > 3);
        Assert.Equal(room.Packets, room.Nonces!.Count);
        Assert.All(room.Nonces!, nonce => Assert.True(nonce.Sequence < end));
        Assert.All(room.Members, RoomTests.Complete);
    }
}
