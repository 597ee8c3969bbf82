using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Images;

public sealed class ImageEndpointsTests
{
    [Fact]
    public async Task Images_versions_and_volumes_can_be_read()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var first = await agent.CaptureWholeAsync("lab 1", ImagingCalls.DiskContent(31));
        await agent.CaptureWholeAsync("lab 1", ImagingCalls.DiskContent(32));
        var client = await server.WithScopeAsync("read");

        var list = (await client.GetFromJsonAsync<JsonObject>("api/v1/images"))!;
        Assert.Equal(1, (int)list["total"]!);
        Assert.Equal(("lab 1", 2, 2), ((string)list["items"]![0]!["name"]!, (int)list["items"]![0]!["versions"]!, (int)list["items"]![0]!["newestVersion"]!));
        var image = (await client.GetFromJsonAsync<JsonObject>("api/v1/images/lab%201"))!;
        Assert.Equal([2, 1], image["versions"]!.AsArray().Select(v => (int)v!["number"]!));
        var version = (await client.GetFromJsonAsync<JsonObject>("api/v1/images/lab%201/versions/1"))!;
        Assert.Equal(first.ManifestHash, (string)version["version"]!["manifestHash"]!);
        Assert.Equal("none", (string)version["partitionScheme"]!);
        var volume = Assert.Single(version["volumes"]!.AsArray())!;
        Assert.Equal((ScriptedAgent.DiskBytes, 65_536), ((long)volume["sizeBytes"]!, (int)volume["chunkSize"]!));
        Assert.True((long)version["version"]!["storedBytes"]! > 2 << 20);
    }

    [Fact]
    public async Task Unknown_names_and_numbers_are_told_apart()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        await agent.CaptureWholeAsync("lab", ImagingCalls.DiskContent(33));
        var client = await server.WithScopeAsync("read");
        await (await client.GetAsync("api/v1/images/none")).ShouldBeAsync(404, "imageUnknown");
        await (await client.GetAsync("api/v1/images/none/versions/1")).ShouldBeAsync(404, "imageUnknown");
        await (await client.GetAsync("api/v1/images/lab/versions/2")).ShouldBeAsync(404, "versionUnknown");
    }

    [Theory]
    [InlineData("api/v1/images")]
    [InlineData("api/v1/images/lab")]
    [InlineData("api/v1/images/lab/versions/1")]
    [InlineData("api/v1/image-signing-key")]
    public async Task Nobody_reads_images_without_a_login(string path)
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.Anonymous().GetAsync(path)).StatusCode);
    }
}
