using ImageForge.Contracts;
using ImageForge.Multicast;
using ImageForge.Server.ImageStore;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Multicasting;

public sealed class HolesTests
{
    [Fact]
    public async Task What_the_store_lacks_or_has_rotten_is_told_and_everything_else_arrives()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2");
        var admin = await Room.OnLoopbackAsync(server, megabits: 20);
        var room = await Room.FurnishAsync(server, 51);
        var (missing, rotten) = (room.Numbers[3], room.Numbers[room.Numbers.Count / 2]);
        var folder = server.Get<StoreFolder>();
        File.Delete(folder.ChunkFile(missing));
        var frame = await File.ReadAllBytesAsync(folder.ChunkFile(rotten));
        frame[frame.Length / 2] ^= 4;
        await File.WriteAllBytesAsync(folder.ChunkFile(rotten), frame);

        var machines = await room.OrderAsync(2, new MulticastChoice());
        var outcomes = await Task.WhenAll(machines.Select(m => m.ReceiveAsync()));
        Assert.All(outcomes, o => Assert.Equal((ReceiveEnd.GoOnOverHttp, "3," + room.Numbers.Count / 2), (o.End, string.Join(',', o.Lacking.Runs().Select(r => r.First)))));
        Assert.All(machines, m => Assert.Equal((room.Numbers.Count - 2, 0), (m.Received.Count, m.Received.Wrong)));

        // What HTTP says then is what every deploy hears.
        await (await machines[0].Client.GetAsync($"agent/v1/deploy/chunks/{missing}")).ShouldBeAsync(404, "chunkMissing");
        await (await machines[0].Client.GetAsync($"agent/v1/deploy/chunks/{rotten}")).ShouldBeAsync(404, "chunkMissing");
        Assert.True(File.Exists(folder.QuarantineFile(rotten)));
        Assert.Equal(2, (await CheckInTests.EventsAsync(server, "chunkCorrupt")).Count);
        Assert.Equal(2, (await Sessions.GetAsync(admin, 1)).GetProperty("session").GetProperty("sender").GetProperty("chunksBad").GetInt32());
    }
}
