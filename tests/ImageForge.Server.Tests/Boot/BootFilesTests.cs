using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using ImageForge.Contracts;
using ImageForge.Server.Boot;

namespace ImageForge.Server.Tests.Boot;

public sealed class BootFilesTests : IAsyncLifetime
{
    private readonly string _live = Directory.CreateTempSubdirectory("imageforge-live-").FullName;
    private readonly byte[] _kernel = RandomNumberGenerator.GetBytes(3_000_000);
    private BootServer _server = null!;

    public async Task InitializeAsync()
    {
        await File.WriteAllBytesAsync(Path.Combine(_live, "vmlinuz"), _kernel);
        await File.WriteAllTextAsync(Path.Combine(_live, "secret.txt"), "not a boot file");
        _server = await BootServer.StartAsync($"LiveImageFolder={_live}");
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_live, recursive: true);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, Action<HttpRequestMessage>? more = null)
    {
        using var request = new HttpRequestMessage(method, new Uri($"boot/files/{path}", UriKind.Relative));
        more?.Invoke(request);
        return await _server.Server.Http().SendAsync(request);
    }

    [Fact]
    public async Task A_file_comes_whole_with_its_length_and_is_in_the_timeline()
    {
        using var response = await SendAsync(HttpMethod.Get, "vmlinuz?mac=52-54-00-aa-bb-01");
        Assert.Equal(_kernel.Length, response.Content.Headers.ContentLength);
        Assert.Equal(_kernel, await response.Content.ReadAsByteArrayAsync());
        var timeline = _server.Server.Get<BootTimeline>();
        var events = await BootServer.EventuallyAsync(
            () => timeline.ListAsync(MacAddress.Parse("52:54:00:aa:bb:01"), null, 10, CancellationToken.None), e => e.Count > 0);
        Assert.Equal(("kernel", (long?)_kernel.Length), (events[0].Step, events[0].Bytes));
    }

    [Fact]
    public async Task Head_tells_the_length_without_the_body()
    {
        using var response = await SendAsync(HttpMethod.Head, "vmlinuz");
        Assert.Equal(_kernel.Length, response.Content.Headers.ContentLength);
        Assert.Equal("bytes", Assert.Single(response.Headers.AcceptRanges));
        Assert.NotNull(response.Headers.ETag);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_range_and_a_known_tag_are_honoured()
    {
        using var part = await SendAsync(HttpMethod.Get, "vmlinuz", r => r.Headers.Range = new RangeHeaderValue(1000, 1999));
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(_kernel[1000..2000], await part.Content.ReadAsByteArrayAsync());
        using var same = await SendAsync(HttpMethod.Get, "vmlinuz", r => r.Headers.IfNoneMatch.Add(part.Headers.ETag!));
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
    }

    [Theory]
    [InlineData("secret.txt")]
    [InlineData("..%2fvmlinuz")]
    [InlineData("VMLINUZ")]
    [InlineData("vmlinuz%00")]
    [InlineData("%2fetc%2fpasswd")]
    public async Task Any_other_name_is_not_found(string name)
    {
        using var response = await SendAsync(HttpMethod.Get, name);
        Assert.NotEqual("not a boot file", await response.Content.ReadAsStringAsync());
        Assert.NotEqual(HttpStatusCode.PartialContent, response.StatusCode);
        if (response.StatusCode == HttpStatusCode.OK)
            Assert.StartsWith("#!ipxe", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        else
            Assert.InRange((int)response.StatusCode, 400, 404);
    }

    [Fact]
    public async Task A_file_that_is_not_installed_is_named_with_the_cure()
    {
        using var response = await SendAsync(HttpMethod.Get, "initrd.img");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("./forge live", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
