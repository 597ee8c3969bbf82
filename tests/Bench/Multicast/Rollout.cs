using System.Globalization;
using ImageForge.Lab.Networks;

namespace ImageForge.Bench.Multicast;

/// <summary>One run of ours: a sender and receivers, each a process in its own namespace, over a warm-up content and the measured one.</summary>
/// <param name="Receivers">How many take part.</param>
/// <param name="BitsPerSecond">Pace; null: as fast as it goes.</param>
/// <param name="PerMille">Loss at each receiver.</param>
/// <param name="SlowSink">Plain bytes per second that the first receiver's disk takes; null: it is as fast as the others.</param>
/// <param name="LateAt">The last receiver joins at this share of the time that <see cref="LateAfter"/> says; null: with the others.</param>
/// <param name="LateAfter">Seconds the run is expected to take.</param>
internal sealed record Rollout(int Receivers, double? BitsPerSecond = null, int PerMille = 0, double? SlowSink = null, double? LateAt = null, double LateAfter = 0)
{
    private const string Group = "239.77.1.1:9000", Server = "10.77.0.1:7000";

    /// <summary>What a run gave. Times in seconds since the start, in the order of the receivers.</summary>
    internal sealed record Outcome(double[] Seconds, double JoinedLate, Dictionary<string, string>[] Ends, Dictionary<string, string> Sender, double[] LostBytes)
    {
        public double Last => Seconds.Max();
    }

    public async Task<Outcome> RunAsync(MulticastRoom room, string warmUp, string content, int chunks)
    {
        string[] rate = BitsPerSecond is { } bits ? ["--rate", bits.ToString(CultureInfo.InvariantCulture)] : [];
        await using var sender = PeerProcess.Start(room.Sender, ["send", "--listen", Server, "--group", Group, "--content", $"{warmUp},{content}", "--wait", "1000", .. rate]);
        await sender.HearAsync("ready", 30);
        var receivers = new List<PeerProcess>();
        try
        {
            for (var i = 0; i < Receivers; i++)
            {
                string[] sink = i == 0 && SlowSink is { } slow ? ["--sink", slow.ToString(CultureInfo.InvariantCulture)] : [];
                receivers.Add(PeerProcess.Start(room.Receivers[i], ["receive", "--fetch", "rest", "--server", Server, "--content", $"{warmUp},{content}", .. sink]));
                await sender.HearAsync("joined", 30);
            }
            // The warm-up compiles both programs; the agent of the product is compiled ahead of time.
            await Task.Delay(200);
            await sender.TellAsync("start");
            foreach (var receiver in receivers)
                Check(await receiver.HearAsync("end=", 120), null, receiver);
            await sender.TellAsync("next");
            await sender.HearAsync("ready", 30);

            var punctual = LateAt is null ? receivers.Count : receivers.Count - 1;
            foreach (var receiver in receivers.Take(punctual))
            {
                await receiver.TellAsync("next");
                await sender.HearAsync("joined", 30);
            }
            foreach (var ns in room.Receivers.Take(Receivers))
                await MulticastRoom.LoseAsync(ns, PerMille);
            await Task.Delay(200);
            await sender.TellAsync("start");
            var started = long.Parse((await sender.HearAsync("started", 10)).Split(' ')[1], CultureInfo.InvariantCulture);
            var joinedLate = 0.0;
            if (LateAt is { } share)
            {
                await Task.Delay(TimeSpan.FromSeconds(LateAfter * share));
                await receivers[^1].TellAsync("next");
                await sender.HearAsync("joined", 30);
                joinedLate = Since(started, System.Diagnostics.Stopwatch.GetTimestamp());
            }
            var ends = await Task.WhenAll(receivers.Select(async receiver => Check(await receiver.HearAsync("end=", 300), chunks, receiver)));
            await sender.TellAsync("figures");
            var figures = PeerProcess.Words(await sender.HearAsync("figures", 10));
            var lost = new double[Receivers];
            for (var i = 0; i < Receivers; i++)
                lost[i] = await MulticastRoom.LostAsync(room.Receivers[i]);
            return new Outcome([.. ends.Select(end => Since(started, long.Parse(end["at"], CultureInfo.InvariantCulture)))], joinedLate, ends, figures, lost);
        }
        finally
        {
            foreach (var receiver in receivers)
                await receiver.DisposeAsync();
            foreach (var ns in room.Receivers.Take(Receivers))
                await MulticastRoom.LoseAsync(ns, 0);
        }
    }

    private static double Since(long started, long at) => System.Diagnostics.Stopwatch.GetElapsedTime(started, at).TotalSeconds;

    /// <exception cref="InvalidOperationException">A receiver did not get and verify everything.</exception>
    private static Dictionary<string, string> Check(string line, int? chunks, PeerProcess receiver)
    {
        var words = PeerProcess.Words(line);
        return chunks is null || words["written"] == chunks.Value.ToString(CultureInfo.InvariantCulture)
            ? words
            : throw new InvalidOperationException($"void: not everything arrived: {receiver.Said}");
    }
}
