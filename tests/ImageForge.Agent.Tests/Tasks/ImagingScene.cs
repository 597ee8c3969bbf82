using System.Security.Cryptography;
using ImageForge.Agent.Tests.Server;
using ImageForge.Contracts;
using Microsoft.AspNetCore.Http;

namespace ImageForge.Agent.Tests.Tasks;

/// <summary>The whole agent capturing and deploying an image file over real HTTPS, with a server that misbehaves.</summary>
public abstract class ImagingScene : IAsyncLifetime, IDisposable
{
    private protected const int ChunkSize = 64 << 10;
    private protected const int DiskSize = 24 << 20;

    private protected readonly ScriptedServer _server = new();
    private protected readonly StagedMachine _machine = new();
    private protected readonly byte[] _content = new byte[DiskSize];

    private protected ImagingScene()
    {
        // No file system known to us: every block counts as used. Half of it compresses, a part is zero, a part occurs twice.
        var random = new Random(11);
        random.NextBytes(_content.AsSpan(0, DiskSize / 2));
        for (var i = DiskSize / 2; i < DiskSize * 3 / 4; i++)
            _content[i] = (byte)(i >> 12);
        _content.AsSpan(0, 1 << 20).CopyTo(_content.AsSpan(DiskSize - (1 << 20)));
    }

    public Task InitializeAsync() => _server.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose()
    {
        _machine.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>How many MiB of an empty disk hold something by now, behind the first, where tables and record lie.</summary>
    private protected static int WrittenMiB(string disk)
    {
        using var file = new FileStream(disk, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var mebibyte = new byte[1 << 20];
        var written = 0;
        for (file.Position = 1 << 20; file.ReadAtLeast(mebibyte, mebibyte.Length, throwOnEndOfStream: false) == mebibyte.Length;)
            written += mebibyte.AsSpan().ContainsAnyExcept((byte)0) ? 1 : 0;
        return written;
    }

    private protected async Task CaptureAsync() => Assert.Equal(0, await RunCaptureAsync());

    private protected Task<int> RunCaptureAsync()
    {
        _server.Task = new TaskAssignment(7, JobKind.Capture, "pc-07", AfterTask.Reboot, new CaptureAssignment("debian", ChunkSize, 1, null), null);
        File.WriteAllBytes(_machine.AddDisk("source", DiskSize), _content);
        return _machine.RunAsync(_server.CommandLine());
    }

    private protected void Deploy() => _server.Task = new TaskAssignment(7, JobKind.Deploy, "pc-07", AfterTask.Reboot, null,
        new DeployAssignment("debian", 3, Convert.ToHexStringLower(SHA256.HashData(_server.Manifest)), null));

    private protected int Puts() => _server.Requests.Count(r => r.StartsWith("PUT ", StringComparison.Ordinal));

    /// <summary>Chunks that are not zero: half of the disk random, a quarter of patterns, the last MiB a copy of the first.</summary>
    private protected static int DataChunks() => (DiskSize * 3 / 4 + (1 << 20)) / ChunkSize;

    /// <summary>From the <paramref name="after"/>th matching request on, answers with <paramref name="answer"/>.</summary>
    private protected static Func<HttpContext, Task<bool>> Answering(string path, string method, int after, Func<HttpContext, Task> answer)
    {
        var seen = 0;
        return async context =>
        {
            if (context.Request.Method != method || !context.Request.Path.Value!.Contains(path, StringComparison.Ordinal) || Interlocked.Increment(ref seen) <= after)
                return false;
            await answer(context);
            return true;
        };
    }

    private protected static Func<HttpContext, Task<bool>> AtThePlan(Action act) => context =>
    {
        if (context.Request.Path.Value!.EndsWith("task/plan", StringComparison.Ordinal))
            act();
        return Task.FromResult(false);
    };

    private protected static Func<HttpContext, Task<bool>> KillAtChunk(string method, int after, Action reached) => Answering("/chunks/", method, after, async context =>
    {
        reached();
        await Task.Delay(Timeout.Infinite, context.RequestAborted);
    });

    private protected static async Task Until(Func<bool> condition)
    {
        for (var i = 0; i < 400 && !condition(); i++)
            await Task.Delay(25);
        Assert.True(condition());
    }
}
