using System.Globalization;
using ImageForge.Lab;
using ImageForge.Lab.Networks;
using ImageForge.MulticastPeer;

namespace ImageForge.Multicast.Tests.Rooms;

/// <summary>A paced session of <see cref="Chunks"/> chunks in a room of namespaces: each machine is a process, each packet crosses a bridge.</summary>
internal sealed class Rollout : IAsyncDisposable
{
    public const int Chunks = 96, ChunkBytes = 256 << 10;
    public const double BitsPerSecond = 60e6;

    /// <summary>Seconds that the stream takes once, headers and repair included, when nothing holds it up.</summary>
    public const double Once = Chunks * ChunkBytes * 1.04 * 8 / BitsPerSecond;

    /// <summary>What is scaled down with the content: patience here, 5 s in the product.</summary>
    private const string Patience = "2.5";

    private readonly string _folder = Directory.CreateTempSubdirectory("if-rollout-").FullName;
    private readonly string _group;
    private readonly List<PeerProcess> _peers = [];

    private Rollout(MulticastRoom room, string group) => (Room, _group) = (room, group);

    public MulticastRoom Room { get; }

    public PeerProcess Sender => _peers[0];

    public static async Task<Rollout> CreateAsync(int receivers, string group = "239.77.1.1:9000")
    {
        var rollout = new Rollout(await MulticastRoom.CreateAsync(receivers), group);
        ContentFolder.Make(rollout._folder, 5, Chunks, ChunkBytes, compressible: false);
        rollout._peers.Add(PeerProcess.Start(rollout.Room.Sender, "send", "--listen", "10.77.0.1:7000", "--group", group, "--content", rollout._folder, "--wait", "1000",
            "--rate", BitsPerSecond.ToString(CultureInfo.InvariantCulture)));
        await rollout.Sender.HearAsync("ready", 30);
        return rollout;
    }

    /// <summary>Starts a receiver and waits until the sender knows it.</summary>
    public async Task<PeerProcess> JoinAsync(int receiver, params string[] more)
    {
        var peer = PeerProcess.Start(Room.Receivers[receiver], ["receive", "--fetch", "rest", "--server", "10.77.0.1:7000", "--content", _folder, "--patience", Patience, .. more]);
        _peers.Add(peer);
        await Sender.HearAsync("joined", 30);
        return peer;
    }

    public PeerProcess Attack(int receiver)
    {
        var peer = PeerProcess.Start(Room.Receivers[receiver], "attack", "--group", _group, "--rate", "40e6");
        _peers.Add(peer);
        return peer;
    }

    /// <summary>Begins the stream; the answer is the moment, for <see cref="EndAsync"/>.</summary>
    public async Task<long> StartAsync()
    {
        // The last joins are on their way through the sender.
        await Task.Delay(300);
        await Sender.TellAsync("start");
        return long.Parse((await Sender.HearAsync("started", 10)).Split(' ')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>How a receiver's part in the stream ended. Whatever it was, every chunk is verified and written then: from the stream, or fetched.</summary>
    public async Task<(string End, double Seconds, Dictionary<string, string> Words)> EndAsync(PeerProcess receiver, long started, int seconds = 60)
    {
        var words = PeerProcess.Words(await receiver.HearAsync("end=", seconds));
        Assert.True(PeerProcess.Number(words, "written") == Chunks, Said);
        return (words["end"], System.Diagnostics.Stopwatch.GetElapsedTime(started, long.Parse(words["at"], CultureInfo.InvariantCulture)).TotalSeconds, words);
    }

    /// <summary>From the stream, all but the few chunks that a stream is not worth its while for.</summary>
    public static bool IsByStream(Dictionary<string, string> words) => words["end"] is "Complete" or "GoOnOverHttp" && PeerProcess.Number(words, "fetched") <= 16;

    public async Task<Dictionary<string, string>> FiguresAsync()
    {
        await Sender.TellAsync("figures");
        return PeerProcess.Words(await Sender.HearAsync("figures", 10));
    }

    public static Task SignalAsync(PeerProcess peer, string signal) => Command.RunAsync("kill", $"-{signal}", peer.Id.ToString(CultureInfo.InvariantCulture));

    /// <summary>What everybody said, for messages of failed assertions.</summary>
    public string Said => string.Join(Environment.NewLine, _peers.Select(peer => peer.Said));

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _peers)
            await peer.DisposeAsync();
        await Room.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
