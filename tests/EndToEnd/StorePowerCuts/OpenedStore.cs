using System.Net;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;
using ImageForge.Lab;
using ImageForge.Server.Access;
using ImageForge.Server.Images;
using ImageForge.Server.Tests;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.EndToEnd.StorePowerCuts;

/// <summary>A disk of the guest, mounted here (ext4 replays its journal) with the server started on it.</summary>
internal sealed class OpenedStore : IAsyncDisposable
{
    private readonly string _mount;

    private OpenedStore(string mount, ServerProcess server) => (_mount, Server) = (mount, server);

    public ServerProcess Server { get; }

    public static async Task<OpenedStore> OpenAsync(string disk, params string[] settings)
    {
        var mount = Directory.CreateTempSubdirectory("if-store-").FullName;
        await Command.RunAsync("mount", "-t", "ext4", "-o", "loop", disk, mount);
        try
        {
            return new OpenedStore(mount, await ServerProcess.StartAsync(Path.Combine(mount, "data"), settings));
        }
        catch
        {
            await Command.RunAsync("umount", mount);
            throw;
        }
    }

    public async Task<HttpClient> AdminAsync() =>
        Server.WithToken((await Server.Get<ApiTokenStore>().CreateAsync($"test-{Guid.CreateVersion7()}", [Scopes.Admin], null, null, default)).Secret);

    /// <summary>Hashes every chunk of every version, without the server's help. Returns how many versions there are.</summary>
    public async Task<int> AssertEveryVersionIsCompleteAsync(string where)
    {
        var versions = await Server.Get<ImageVersions>().ListManifestsAsync(default);
        foreach (var version in versions)
        {
            var path = Path.Combine(Server.StoreFolder, "manifests", version.ManifestHash);
            Assert.True(File.Exists(path), $"{where}: the manifest of {version.Name} is gone");
            var file = await File.ReadAllBytesAsync(path);
            Assert.True(ManifestHash.Of(file) == version.ManifestHash, $"{where}: the manifest of {version.Name} is damaged");
            Assert.True(ImageDisks.TryParse(file, out var image, out var failure), failure?.Sentence);
            foreach (var (id, length) in image.DataChunks().Distinct())
            {
                var chunk = ChunkPaths.Of(Path.Combine(Server.StoreFolder, "chunks"), id);
                Assert.True(File.Exists(chunk) && ChunkFrame.Verify(id, length, await File.ReadAllBytesAsync(chunk)), $"{where}: chunk {id} of {version.Name} is damaged or gone");
            }
        }
        return versions.Count;
    }

    /// <summary>And the server's own verification finds nothing either.</summary>
    public async Task AssertVerifiedAsync()
    {
        var admin = await AdminAsync();
        (await admin.PostAsync("api/v1/store/verify", null)).EnsureSuccessStatusCode();
        for (var i = 0; ; i++)
        {
            var run = await admin.GetAsync("api/v1/store/verify", HttpStatusCode.OK);
            if (run.Text("state") == "running" && i < 600)
            {
                await Task.Delay(100);
                continue;
            }
            Assert.True(run.Text("state") == "done" && run.GetProperty("hurt").GetArrayLength() == 0 && run.GetProperty("progress").GetProperty("chunksMissing").GetInt64() == 0, run.ToString());
            return;
        }
    }

    /// <summary>A task that the cut interrupted goes on, and a new one completes.</summary>
    public async Task AssertCapturesCompleteAsync(ScriptedMachine? interrupted, string name, byte[] disk)
    {
        await (await ScriptedAgent.WithHostAsync(Server, name)).CaptureWholeAsync(StorePowerCutTests.Kept, disk);
        if (interrupted is null)
            return;
        var agent = new ScriptedAgent(Server, interrupted.Agent.Host);
        if ((await agent.TaskAsync(interrupted.Task)).State.IsFinal())
            return;
        var (_, client) = await agent.CheckInAsync(interrupted.Task);
        var (result, _) = await client.CaptureAsync(interrupted.Disk);
        await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply);
        Assert.Equal(HttpStatusCode.NoContent, (await client.FinishAsync(HostTaskState.Succeeded)).StatusCode);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        for (var attempt = 1; (await Command.TryAsync("umount", _mount)).ExitCode != 0; attempt++)
        {
            if (attempt == 50)
                throw new LabException($"{_mount} cannot be unmounted");
            await Task.Delay(100);
        }
        Directory.Delete(_mount);
    }
}

/// <summary>A machine whose capture is ordered and whose boot token is minted.</summary>
internal sealed record ScriptedMachine(ScriptedAgent Agent, long Task, string BootToken, string Image, byte[] Disk);
