using System.Collections.Concurrent;
using System.Net;
using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Server.Tests.Agents;

/// <summary>The chunk calls of the protocol, written from its description and not from the agent's code.</summary>
internal sealed class HttpChunks(HttpClient agent) : IChunkSink, IChunkSource
{
    public ConcurrentBag<ChunkId> Sent { get; } = [];

    public async ValueTask<bool[]> MissingAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel)
    {
        using var response = await agent.PostAsync("agent/v1/capture/chunks/missing", new ByteArrayContent([.. ids.SelectMany(id => id.ToArray())]), cancel);
        Assert.True(response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync(cancel));
        var bitmap = await response.Content.ReadAsByteArrayAsync(cancel);
        Assert.Equal((ids.Count + 7) / 8, bitmap.Length);
        return [.. ids.Select((_, i) => (bitmap[i / 8] >> (i % 8) & 1) == 1)];
    }

    public async ValueTask StoreAsync(ChunkId id, int plainLength, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        using var response = await agent.PutChunkAsync(id.ToString(), plainLength, frame.ToArray());
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(cancel));
        Sent.Add(id);
    }

    public async ValueTask<int> ReadFrameAsync(ChunkId id, Memory<byte> frame, CancellationToken cancel)
    {
        using var response = await agent.GetAsync($"agent/v1/deploy/chunks/{id}", cancel);
        var bytes = await response.Content.ReadAsByteArrayAsync(cancel);
        Assert.True(response.StatusCode == HttpStatusCode.OK, System.Text.Encoding.UTF8.GetString(bytes));
        bytes.CopyTo(frame);
        return bytes.Length;
    }
}

internal static class ImagingCalls
{
    public static Task<HttpResponseMessage> PutChunkAsync(this HttpClient agent, string id, object? plainLength, byte[] frame)
    {
        var content = new ByteArrayContent(frame);
        if (plainLength is not null)
            content.Headers.Add("X-Plain-Length", plainLength.ToString());
        return agent.PutAsync($"agent/v1/capture/chunks/{id}", content);
    }

    public static Task<HttpResponseMessage> SealAsync(this HttpClient agent, byte[] manifest) =>
        agent.PostAsync("agent/v1/capture/manifest", new ByteArrayContent(manifest));

    /// <summary>A disk without tables: half random, half zero.</summary>
    public static byte[] DiskContent(int seed, long bytes = ScriptedAgent.DiskBytes)
    {
        var content = new byte[bytes];
        var random = new Random(seed);
        for (var at = 0; at < content.Length; at += 128 << 10)
            random.NextBytes(content.AsSpan(at, 64 << 10));
        return content;
    }

    /// <summary>The real capture engine over HTTPS; the manifest is not sealed yet.</summary>
    public static async Task<(CaptureResult Result, HttpChunks Chunks)> CaptureAsync(this HttpClient agent, byte[] disk, int chunkSize = 64 << 10)
    {
        var chunks = new HttpChunks(agent);
        var engine = new CaptureEngine(MemoryDisk.Of(disk, readOnly: true), chunks, new CaptureOptions(chunkSize, DiskModel: "TestDisk", Workers: 2));
        return (await engine.RunAsync(default), chunks);
    }

    /// <summary>Capture, seal, result: a whole task.</summary>
    public static async Task<SealReply> CaptureWholeAsync(this ScriptedAgent agent, string image, byte[] disk)
    {
        var (_, client) = await agent.CheckInAsync(await agent.OrderCaptureAsync(image));
        var (result, _) = await client.CaptureAsync(disk);
        var reply = await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply);
        Assert.Equal(HttpStatusCode.NoContent, (await client.FinishAsync(HostTaskState.Succeeded)).StatusCode);
        return reply;
    }

    public static async Task<byte[]> DeployAsync(this HttpClient agent, DeployAssignment order)
    {
        var file = await agent.GetByteArrayAsync("agent/v1/deploy/manifest");
        Assert.Equal(order.ManifestHash, ManifestHash.Of(file));
        Assert.True(ManifestParser.TryParse(file, out var manifest, out var failure), failure?.Sentence);
        using var target = new MemoryDisk(manifest.DiskSizeBytes);
        var plan = DeployPlanner.Plan(manifest, order.ManifestHash, target.SizeBytes, 512, null);
        await new DeployEngine(target, new HttpChunks(agent), plan.Plan!, new DeployOptions()).RunAsync(default);
        var restored = new byte[target.SizeBytes];
        target.Read(0, restored);
        return restored;
    }
}
