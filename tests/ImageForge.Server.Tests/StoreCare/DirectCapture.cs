using Dapper;
using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Server.Data;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.StoreCare;

/// <summary>A capture that calls the stores as its endpoints do, without the network: question (lease, then answer), put, seal, result.</summary>
internal sealed class DirectCapture : IChunkSink
{
    private readonly TestServer _server;
    private readonly string _image;
    private readonly long _task;
    private ImageVersion? _version;

    private DirectCapture(TestServer server, string image, long task) => (_server, _image, _task) = (server, image, task);

    public string ManifestHash => _version!.ManifestHash;

    public static async Task<DirectCapture> BeginAsync(TestServer server, ScriptedAgent agent, string image)
    {
        var task = await agent.OrderCaptureAsync(image);
        await SetAsync(server, task, "state = 'transferring', last_heard_at = @now");
        return new DirectCapture(server, image, task);
    }

    /// <summary>Null: the server says that chunks are missing, and the agent reads the disk again.</summary>
    public async Task<ImageVersion?> RunAsync(byte[] disk)
    {
        var result = await new CaptureEngine(MemoryDisk.Of(disk, readOnly: true), this, new CaptureOptions(64 << 10, Level: 1, Workers: 1)).RunAsync(default);
        if (await _server.Get<ImageSealing>().SealAsync(_task, _image, result.ManifestBytes, default) is not SealOutcome.Sealed(var version))
            return null;
        await _server.Get<ChunkLeases>().ReleaseAsync(_task, default);
        await _server.Get<ImageSealing>().AfterSealAsync(version, default);
        return _version = version;
    }

    public Task EndAsync() => SetAsync(_server, _task, "state = 'succeeded', finished_at = @now");

    public async ValueTask<bool[]> MissingAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel)
    {
        await _server.Get<ChunkLeases>().RecordAsync(_task, ids, cancel);
        return await Task.Run(() => _server.Get<ChunkStore>().Missing(ids), cancel);
    }

    public async ValueTask StoreAsync(ChunkId id, int plainLength, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        Assert.True(await _server.Get<ChunkLeases>().HasAsync(_task, id, cancel));
        Assert.True(_server.Get<ChunkStore>().Put(id, plainLength, frame.Span) is ChunkPut.Stored or ChunkPut.AlreadyHeld);
    }

    private static Task<int> SetAsync(TestServer server, long task, string change) =>
        server.Get<Database>().WriteAsync((connection, transaction) => connection.ExecuteAsync(
            $"UPDATE host_tasks SET {change} WHERE id = @task", new { task, now = server.Clock.NowMilliseconds() }, transaction), default);
}
