using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ImageForge.Agent.Tests.Server;
using ImageForge.Contracts;
using ImageForge.Multicast;

namespace ImageForge.Agent.Tests.Streams;

/// <summary>The whole agent deploying from a real multicast sender over real UDP on loopback, with a server that misbehaves.</summary>
public sealed class StreamDeployTests : IAsyncLifetime, IDisposable
{
    private const int ChunkSize = 64 << 10;
    private const int DiskSize = 24 << 20;

    private readonly ScriptedServer _server = new();
    private readonly StagedMachine _target = new();
    private readonly byte[] _content = new byte[DiskSize];
    private string _disk = "";

    public StreamDeployTests()
    {
        // No file system known to us: every block counts as used. Half of it compresses, a part occurs twice.
        var random = new Random(12);
        random.NextBytes(_content.AsSpan(0, DiskSize / 2));
        for (var i = DiskSize / 2; i < DiskSize * 3 / 4; i++)
            _content[i] = (byte)(i >> 12);
        _content.AsSpan(0, 1 << 20).CopyTo(_content.AsSpan(DiskSize - (1 << 20)));
    }

    public async Task InitializeAsync()
    {
        await _server.StartAsync();
        _server.Task = new TaskAssignment(6, JobKind.Capture, "pc-07", AfterTask.Reboot, new CaptureAssignment("debian", ChunkSize, 1, null), null);
        using var source = new StagedMachine();
        File.WriteAllBytes(source.AddDisk("source", DiskSize), _content);
        Assert.Equal(0, await source.RunAsync(_server.CommandLine()));
        _server.Results.Clear();
        _disk = _target.AddDisk("target", DiskSize);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _target.Dispose();

    private int Fetched => _server.Requests.Count(r => r.StartsWith("GET deploy/chunks/", StringComparison.Ordinal));

    private HashSet<string> FetchedIds => [.. _server.Requests.Where(r => r.StartsWith("GET deploy/chunks/", StringComparison.Ordinal)).Select(r => r[^64..])];

    private int Joined => _server.Requests.Count(r => r == "GET deploy/multicast");

    /// <summary>Chunks lacking at each join, as the serial console says.</summary>
    private List<int> Lacks() => [.. Regex.Matches(_target.Output, @"joins multicast session 4 on lo, (\d+) chunks").Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))];

    private async Task<TaskResult> DeployAsync()
    {
        Assert.Equal(0, await _target.RunAsync(_server.CommandLine()).WaitAsync(TimeSpan.FromSeconds(90)));
        Assert.True(_content.AsSpan().SequenceEqual(File.ReadAllBytes(_disk)), "the disk does not hold the image");
        return _server.Results.Last();
    }

    [Fact]
    public async Task A_disk_is_made_from_the_stream_alone()
    {
        await using var room = new SendingRoom(_server);
        room.Order();
        room.Start();
        var result = await DeployAsync();
        Assert.Equal((0, 1), (Fetched, Joined));
        Assert.Equal(HostTaskState.Succeeded, result.State);
        Assert.Contains("MiB came by multicast and 0 MiB over HTTP", result.Summary, StringComparison.Ordinal);
        Assert.Empty(result.Notes ?? []);
        Assert.Equal([MemberEnd.Complete], room.Ends);
        Assert.Equal(result.BytesWritten, result.Proof!.BytesReadFromDisk);
    }

    [Fact]
    public async Task A_machine_that_hears_nothing_goes_on_over_HTTP_and_says_why()
    {
        await using var room = new SendingRoom(_server) { Between = channel => new WrongGroup(channel) };
        room.Order(patience: 5);
        room.Start();
        var first = 0L;
        var joined = 0L;
        _server.Intercept = async context =>
        {
            if (context.Request.Path.Value!.EndsWith("multicast", StringComparison.Ordinal))
                joined = Stopwatch.GetTimestamp();
            else if (context.Request.Path.Value.Contains("deploy/chunks/", StringComparison.Ordinal) && context.Request.Method == "GET")
            {
                Interlocked.CompareExchange(ref first, Stopwatch.GetTimestamp(), 0);
                // So slowly that a heartbeat sees it.
                await Task.Delay(30);
            }
            return false;
        };
        var result = await DeployAsync();
        // 5.1 s on a quiet machine.
        Assert.InRange(Stopwatch.GetElapsedTime(joined, first).TotalSeconds, 4.5, 15);
        var note = Assert.Single(result.Notes!);
        Assert.Contains("No packet of the stream to 239.", note, StringComparison.Ordinal);
        Assert.Contains("arrived on lo within 5 s: probably a switch with IGMP snooping and no querier", note, StringComparison.Ordinal);
        Assert.Contains("imageforge: " + note, _target.Output, StringComparison.Ordinal);
        var words = Regex.Replace(Regex.Replace(_target.Screen, @"\e\[[0-9;?]*[A-Za-z]", ""), @"\s+", " ");
        Assert.Contains("within 5 s: probably a switch with IGMP snooping and no querier;", words, StringComparison.Ordinal);
        Assert.Contains(_server.Progress, p => p.Detail is { } detail && detail.StartsWith("HTTP", StringComparison.Ordinal) && detail.EndsWith(note, StringComparison.Ordinal));
        Assert.Equal([MemberEnd.HeardNothing], room.Ends);
    }

    [Fact]
    public async Task A_server_killed_in_the_middle_is_joined_again_under_its_next_key_and_asked_only_for_the_rest()
    {
        await using var room = new SendingRoom(_server) { BitsPerSecond = 40e6 };
        room.Order();
        room.Start();
        var running = DeployAsync();
        await room.LackingAsync(0.6);
        await _server.KillAsync();
        await room.DieAsync();
        await Task.Delay(1500);
        Assert.False(running.IsCompleted);
        room.Start();
        await _server.StartAsync();
        var result = await running;
        Assert.Equal((0, 2), (Fetched, Joined));
        Assert.Empty(result.Notes ?? []);
        Assert.Equal(2, Lacks().Count);
        Assert.Equal(room.Chunks, Lacks()[0]);
        Assert.InRange(Lacks()[1], 1, (int)(0.6 * room.Chunks));
    }

    [Fact]
    public async Task Chunks_that_the_stream_gives_wrongly_are_fetched_over_HTTP()
    {
        var wrong = new HashSet<int> { 3, 40, 41, 99 };
        await using var room = new SendingRoom(_server)
        {
            Change = (number, frame) => wrong.Contains(number) ? [.. frame.AsSpan(0, frame.Length - 1), (byte)(frame[^1] ^ 1)] : frame,
        };
        room.Order();
        room.Start();
        await DeployAsync();
        Assert.Equal(wrong.Select(room.ChunkId).Order(), FetchedIds.Order());
    }

    [Fact]
    public async Task A_session_stopped_in_the_middle_leaves_the_rest_to_HTTP()
    {
        await using var room = new SendingRoom(_server) { BitsPerSecond = 40e6 };
        room.Order();
        room.Start();
        var running = DeployAsync();
        await room.LackingAsync(0.6);
        room.Sender.Stop();
        var result = await running;
        Assert.InRange(FetchedIds.Count, 1, (int)(0.7 * room.Chunks));
        Assert.Equal("Multicast session 4 was stopped on the server; the rest comes over HTTP.", Assert.Single(result.Notes!));
    }

    [Theory]
    [InlineData(409, "multicastStopped", "The multicast of debian version 3 was stopped.")]
    [InlineData(503, "noMulticastInterface", "The server's interface eth7, on which it is to multicast, does not exist.")]
    public async Task A_session_that_cannot_be_had_is_told_in_the_servers_words(int status, string code, string sentence)
    {
        await using var room = new SendingRoom(_server);
        room.Order();
        _server.Intercept = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("multicast", StringComparison.Ordinal))
                return false;
            await ScriptedServer.ProblemAsync(context, status, code, sentence, "Look at the session.");
            return true;
        };
        var result = await DeployAsync();
        Assert.Equal($"No multicast: {sentence} The chunks come over HTTP.", Assert.Single(result.Notes!));
        Assert.True(Fetched >= room.Chunks);
        Assert.Equal(1, Joined);
    }

    [Fact]
    public async Task A_machine_that_lost_its_power_joins_with_what_its_disk_lacks_then()
    {
        await using var room = new SendingRoom(_server) { BitsPerSecond = 40e6 };
        using var power = new CancellationTokenSource();
        room.Order();
        room.Start();
        var running = _target.RunAsync(_server.CommandLine(), power.Token);
        await room.LackingAsync(0.5);
        await power.CancelAsync();
        // Whatever the agent makes of it: its machine is dark.
        await Record.ExceptionAsync(() => running.WaitAsync(TimeSpan.FromSeconds(30)));
        Directory.Delete(_target.PathOf("state"), recursive: true);
        await DeployAsync();
        Assert.True(_server.Plans.Last().Resuming);
        Assert.Equal(0, Fetched);
        Assert.InRange(Lacks()[1], 1, (int)(0.7 * room.Chunks));
    }

    [Fact]
    public async Task Connections_that_break_again_and_again_are_given_up()
    {
        await using var room = new SendingRoom(_server);
        room.Order();
        _server.Multicast = (socket, _) =>
        {
            socket.Abort();
            return Task.CompletedTask;
        };
        var result = await DeployAsync();
        Assert.Equal("The connection to multicast session 4 broke 4 times in a row; the rest comes over HTTP.", Assert.Single(result.Notes!));
        // A break while the heartbeat has no answer yet does not count.
        Assert.InRange(Joined, 4, 8);
    }
}
