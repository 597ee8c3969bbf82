using System.Globalization;
using System.Net;
using ImageForge.NetBoot.Tests.Lab;
using ImageForge.NetBoot.Tftp;
using Xunit.Abstractions;

namespace ImageForge.NetBoot.Tests.Tftp;

/// <summary>Clients we did not write.</summary>
public sealed class RealTftpClientsTests(ITestOutputHelper output) : IAsyncLifetime
{
    private readonly ServedFolder _served = new();
    private string Port => _served.Port.ToString(CultureInfo.InvariantCulture);

    private async Task AssertDownload(string file, string program, params string[] arguments)
    {
        var target = _served.Download(file);
        var output = await Command.MustAsync(program, [.. arguments.Select(a => a.Replace("{file}", file, StringComparison.Ordinal).Replace("{to}", target, StringComparison.Ordinal).Replace("{port}", Port, StringComparison.Ordinal))]);
        Assert.True(File.Exists(target), $"{program} wrote nothing: {output}");
        Assert.Equal(_served.Hash(file), ServedFolder.HashOf(target));
    }

    [NeedsRootFact("tftp")]
    public async Task Tftp_hpa_reads_binary_files()
    {
        foreach (var file in new[] { "small", "even" })
            await AssertDownload(file, "tftp", "-m", "binary", "127.0.0.1", "{port}", "-c", "get", "{file}", "{to}");
    }

    [NeedsRootFact("tftp")]
    public async Task Tftp_hpa_reads_text_in_its_default_mode_and_gets_it_unchanged()
    {
        // netascii both ways. tftp-hpa keeps a CR NUL as CR.
        await AssertDownload("text", "tftp", "127.0.0.1", "{port}", "-c", "get", "{file}", "{to}");
    }

    [NeedsRootFact("tftp")]
    public async Task Tftp_hpa_shows_why_a_file_or_a_write_is_refused()
    {
        Assert.Contains("file not found", await Command.MustAsync("tftp", "127.0.0.1", Port, "-c", "get", "nothing", _served.Download("nothing")), StringComparison.OrdinalIgnoreCase);
        var put = await Command.RunAsync(20, "tftp", "127.0.0.1", Port, "-c", "put", _served.PathOf("small"), "uploaded");
        Assert.Contains("read-only", put.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(_served.PathOf("uploaded")));
    }

    [NeedsRootFact("atftp")]
    public async Task Atftp_reads_with_block_size_and_window()
    {
        foreach (var options in new string[][] { [], ["--option", "blksize 1428"], ["--option", "blksize 1428", "--option", "windowsize 8"], ["--option", "tsize 0", "--option", "timeout 2"] })
        {
            await AssertDownload("small", "atftp", [.. options, "--get", "-r", "{file}", "-l", "{to}", "127.0.0.1", "{port}"]);
            File.Delete(_served.Download("small"));
        }
        Assert.Contains(_served.Reports, r => r is { WindowSize: 8, BlockSize: 1428 });
    }

    [NeedsRootFact("curl")]
    public async Task Curl_reads_with_and_without_options()
    {
        await AssertDownload("small", "curl", "-sS", "-o", "{to}", "tftp://127.0.0.1:{port}/{file}");
        await AssertDownload("small", "curl", "-sS", "--tftp-no-options", "-o", "{to}", "tftp://127.0.0.1:{port}/{file}");
        await AssertDownload("small", "curl", "-sS", "--tftp-blksize", "1432", "-o", "{to}", "tftp://127.0.0.1:{port}/{file}");
        // curl refuses the truth that an empty file's tsize is 0 ("invalid tsize"), so without options.
        await AssertDownload("empty", "curl", "-sS", "--tftp-no-options", "-o", "{to}", "tftp://127.0.0.1:{port}/{file}");
    }

    [NeedsRootFact("curl", "atftp")]
    public async Task Block_numbers_beyond_65535_arrive_whole()
    {
        await AssertDownload("rollover", "curl", "-sS", "--tftp-no-options", "-o", "{to}", "tftp://127.0.0.1:{port}/{file}");
        await AssertDownload("rollover", "atftp", "--option", "windowsize 16", "--get", "-r", "{file}", "-l", "{to}", "127.0.0.1", "{port}");
        Assert.Contains(_served.Reports, r => r is { BlockSize: 512, WindowSize: 1, Outcome: TftpOutcome.Completed, Length: > 65536 * 512 });
    }

    [NeedsRootFact("curl")]
    public async Task Forty_clients_at_once_all_get_the_right_bytes()
    {
        var before = _served.Server.Counters.Count(TftpOutcome.Completed);
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async n =>
        {
            var target = _served.Download($"copy{n}");
            await Command.MustAsync("curl", "-sS", "-o", target, $"tftp://127.0.0.1:{Port}/small");
            Assert.Equal(_served.Hash("small"), ServedFolder.HashOf(target));
        }));
        await _served.ReportAsync(_ => _served.Server.Counters.Count(TftpOutcome.Completed) == before + 40);
    }

    [NeedsRootTheory("curl", "atftp", "tftp", "ip", "nft")]
    [InlineData(10)]
    [InlineData(50)]
    public async Task Clients_behind_a_lossy_cable_get_every_byte(int perMille)
    {
        await using var net = await NetworkNamespace.CreateAsync(clientHasAddress: true);
        await using var served = new ServedFolder(address: IPAddress.Any);
        net.Inside(served.Server.Start);
        await net.LoseAsync(perMille);
        var url = $"tftp://10.77.0.1:{served.Port}/small";
        var port = served.Port.ToString(CultureInfo.InvariantCulture);
        var results = await Task.WhenAll(
            net.ClientAsync(120, "curl", "-sS", "-o", served.Download("a"), url),
            net.ClientAsync(120, "curl", "-sS", "--tftp-no-options", "-o", served.Download("b"), url),
            AtftpAsync(net, "--option", "blksize 1428", "--option", "windowsize 8", "--get", "-r", "small", "-l", served.Download("c"), "10.77.0.1", port),
            net.ClientAsync(120, "tftp", "-m", "binary", "10.77.0.1", port, "-c", "get", "small", served.Download("d")));

        foreach (var report in served.Reports)
            output.WriteLine(report.ToString());
        Assert.All(results, r => Assert.True(r.ExitCode == 0, r.Output));
        Assert.All(new[] { "a", "b", "c", "d" }, name => Assert.Equal(served.Hash("small"), ServedFolder.HashOf(served.Download(name))));
        if (perMille >= 50)
            Assert.True(served.Server.Counters.Retransmitted > 0, "nothing was lost: the cable was not lossy");
    }

    /// <summary>
    /// atftp gives up with "unexpected OACK" when its own ACK 0 is lost and the server rightly repeats the OACK (RFC 2347): that, and
    /// nothing else, is tried again.
    /// </summary>
    private static async Task<Command.Result> AtftpAsync(NetworkNamespace net, params string[] arguments)
    {
        for (var attempt = 1; ; attempt++)
        {
            var result = await net.ClientAsync(120, "atftp", arguments);
            if (result.ExitCode == 0 || attempt == 4 || !result.Output.Contains("unexpected OACK", StringComparison.Ordinal))
                return result;
        }
    }

    public Task InitializeAsync()
    {
        _served.Server.Start();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _served.DisposeAsync();
}
