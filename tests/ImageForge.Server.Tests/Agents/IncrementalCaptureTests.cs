using System.Net;
using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;

namespace ImageForge.Server.Tests.Agents;

public sealed class IncrementalCaptureTests
{
    [Fact]
    public async Task A_second_capture_sends_only_what_is_new_and_the_version_says_how_much()
    {
        await using var server = await TestServer.StartAsync("Store:SweepHour=-1");
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var disk = ImagingCalls.DiskContent(1, 16 << 20);
        var first = await CaptureAsync(agent, disk);
        // Two per cent of the content changes, and two files with the same content are new: one chunk of theirs crosses the network once.
        new Random(7).NextBytes(disk.AsSpan(0, 64 << 10));
        new Random(8).NextBytes(disk.AsSpan(256 << 10, 64 << 10));
        new Random(9).NextBytes(disk.AsSpan(64 << 10, 64 << 10));
        disk.AsSpan(64 << 10, 64 << 10).CopyTo(disk.AsSpan(192 << 10));
        var second = await CaptureAsync(agent, disk);
        Assert.Equal((128, 3), (first.Chunks, second.Chunks));

        var versions = (await (await server.AdminAsync()).GetAsync("api/v1/images/lab", HttpStatusCode.OK)).GetProperty("versions");
        Assert.Equal(second.Bytes, versions[0].GetProperty("newBytes").GetInt64());
        Assert.Equal(versions[0].GetProperty("storedBytes").GetInt64() - second.Bytes, versions[0].GetProperty("reusedBytes").GetInt64());
        Assert.Equal((first.Bytes, 0), (versions[1].GetProperty("newBytes").GetInt64(), versions[1].GetProperty("reusedBytes").GetInt64()));
        Assert.True(second.Bytes < first.Bytes * 0.03, $"{second.Bytes} of {first.Bytes} bytes were sent");
    }

    [Fact]
    public async Task What_a_killed_capture_had_sent_counts_as_its_own_and_is_not_sent_again()
    {
        await using var server = await TestServer.StartAsync("Store:SweepHour=-1");
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var disk = ImagingCalls.DiskContent(2, 8 << 20);
        var task = await agent.OrderCaptureAsync("lab");
        var (_, killed) = await agent.CheckInAsync(task);
        var sink = new CountingSink(killed) { FailAfter = 20 };
        await Assert.ThrowsAnyAsync<Exception>(() => Engine(disk, sink).RunAsync(default));
        var (_, client) = await agent.CheckInAsync(task);
        var rest = new CountingSink(client);
        var result = await Engine(disk, rest).RunAsync(default);
        await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply);
        Assert.Equal(64, sink.Chunks + rest.Chunks);
        var version = (await (await server.AdminAsync()).GetAsync("api/v1/images/lab", HttpStatusCode.OK)).GetProperty("versions")[0];
        Assert.Equal((sink.Bytes + rest.Bytes, 0), (version.GetProperty("newBytes").GetInt64(), version.GetProperty("reusedBytes").GetInt64()));
    }

    private static async Task<CountingSink> CaptureAsync(ScriptedAgent agent, byte[] disk)
    {
        var (_, client) = await agent.CheckInAsync(await agent.OrderCaptureAsync("lab"));
        var sink = new CountingSink(client);
        var result = await Engine(disk, sink).RunAsync(default);
        await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply);
        Assert.Equal(HttpStatusCode.NoContent, (await client.FinishAsync(HostTaskState.Succeeded)).StatusCode);
        return sink;
    }

    private static CaptureEngine Engine(byte[] disk, IChunkSink sink) => new(MemoryDisk.Of(disk, readOnly: true), sink, new CaptureOptions(64 << 10, Workers: 2));

    /// <summary>Counts what crosses the network.</summary>
    private sealed class CountingSink(HttpClient client) : IChunkSink
    {
        private readonly HttpChunks _chunks = new(client);
        private long _bytes;
        private int _count;

        public int FailAfter { get; init; } = int.MaxValue;

        public long Bytes => Interlocked.Read(ref _bytes);

        public int Chunks => Volatile.Read(ref _count);

        public ValueTask<bool[]> MissingAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel) => _chunks.MissingAsync(ids, cancel);

        public async ValueTask StoreAsync(ChunkId id, int plainLength, ReadOnlyMemory<byte> frame, CancellationToken cancel)
        {
            if (Chunks >= FailAfter)
                throw new IOException("the plug is pulled");
            await _chunks.StoreAsync(id, plainLength, frame, CancellationToken.None);
            Interlocked.Add(ref _bytes, frame.Length);
            Interlocked.Increment(ref _count);
        }
    }
}
