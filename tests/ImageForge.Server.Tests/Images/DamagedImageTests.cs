using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Disks;
using ImageForge.Server.Hosts;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Images;

/// <summary>Images of disks that could not be read as a whole.</summary>
public sealed class DamagedImageTests
{
    private const long BadAt = 1 << 20;

    [Fact]
    public async Task A_damaged_version_is_marked_with_its_list_does_not_become_current_and_every_plan_says_so()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        await agent.CaptureWholeAsync("lab", ImagingCalls.DiskContent(41));
        var (answer, client) = await agent.CheckInAsync(await agent.OrderCaptureAsync("lab"));
        using var disk = new DiskWithBadSectors(MemoryDisk.Of(ImagingCalls.DiskContent(42)));
        var options = new CaptureOptions(answer.Task.Capture!.ChunkSize, AllowReadErrors: true);
        var result = await new CaptureEngine(disk, new HttpChunks(client), options).RunAsync(default);
        Assert.Equal(2, (await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply)).VersionNumber);
        await client.FinishAsync(HostTaskState.Succeeded);

        var reader = await server.WithScopeAsync("read");
        var versions = (await reader.GetFromJsonAsync<JsonObject>("api/v1/images/lab"))!["versions"]!.AsArray().ToDictionary(v => (int)v!["number"]!, v => v!);
        Assert.Null(versions[1]["damaged"]);
        var place = Assert.Single(versions[2]["damaged"]!.AsArray())!;
        Assert.Equal((0, 0, BadAt, 1024L), ((int)place["disk"]!, (int)place["volume"]!, (long)place["offsetBytes"]!, (long)place["lengthBytes"]!));
        Assert.Equal((true, false), ((bool)versions[1]["current"]!, (bool)versions[2]["current"]!));

        await server.Get<HostStore>().SaveInventoryAsync(agent.Host.Id, ScriptedAgent.InventoryOf([ScriptedAgent.Disk("sda", "BIG", size: 2 * ScriptedAgent.DiskBytes)]), default);
        using var forecast = await (await server.AdminAsync()).PostAsJsonAsync("api/v1/jobs/plan", new { kind = "deploy", hosts = new[] { agent.Mac.ToString() }, image = "lab", version = 2 });
        var text = await forecast.Content.ReadAsStringAsync();
        Assert.True(forecast.StatusCode == HttpStatusCode.OK, text);
        var notes = JsonNode.Parse(text)!["hosts"]![0]!["plan"]!["notes"]!.AsArray().Select(n => (string)n!);
        Assert.Contains(notes, note => note.StartsWith("Volume 0 is damaged: 1024 bytes in use could not be read from the source disk and are zeros (its sectors 2048 to 2049)", StringComparison.Ordinal));
    }

    private sealed class DiskWithBadSectors(MemoryDisk disk) : IBlockDevice
    {
        public string Name => "bad";
        public long SizeBytes => disk.SizeBytes;
        public int SectorSize => disk.SectorSize;
        public bool IsReadOnly => true;

        public void Read(long offset, Span<byte> buffer)
        {
            if (offset < BadAt + 1024 && offset + buffer.Length > BadAt)
                throw new DiskException(Name, "read", offset, 5, "EIO");
            disk.Read(offset, buffer);
        }

        public void Write(long offset, ReadOnlySpan<byte> data) => throw new NotSupportedException();
        public void WriteZeros(long offset, long length) => throw new NotSupportedException();
        public void Flush() { }
        public void Dispose() => disk.Dispose();
    }
}
