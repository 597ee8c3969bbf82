using System.Globalization;
using ImageForge.Lab.Networks;

namespace ImageForge.Bench.Multicast;

/// <summary>The figures of the bench, each from alternating runs.</summary>
internal sealed class Measured(MulticastRoom room, string warmUp, int chunks, int rounds)
{
    /// <summary>Bytes of a packet with the headers of UDP and IPv4, as the sender counts them.</summary>
    private const int Packet = 1480;

    private const int Four = 4;

    /// <summary>Ours and udpcast in turn, four receivers.</summary>
    public async Task<string> BesideAsync(string name, string content, int perMille)
    {
        List<double> ours = [], peer = [];
        for (var round = 0; round < rounds; round++)
        {
            peer.Add(await Udpcast.RunAsync(room, Path.Combine(content, "frames"), Four, perMille));
            var outcome = await new Rollout(Four, PerMille: perMille).RunAsync(room, warmUp, content, chunks);
            ours.Add(outcome.Last);
            Print($"{name} round {round + 1}: udpcast {peer[^1]:F2} s, ours {outcome.Last:F2} s", outcome);
        }
        var bits = new FileInfo(Path.Combine(content, "frames")).Length * 8 / 1e6;
        var (o, p) = (Median(ours), Median(peer));
        Console.WriteLine(Text($"{name}: ours {o:F2} s = {bits / o:F0} Mbit/s, udpcast {p:F2} s = {bits / p:F0} Mbit/s"));
        return name == "ratio" ? Text($"ours={o:F2}s peer={p:F2}s ratio={o / p:F3}") : Text($"{name}={o / p:F3}");
    }

    /// <summary>Bytes sent again over the bytes that the worst receiver lost, at 1 % independent loss.</summary>
    public async Task<string> RepairAsync(string content)
    {
        var shares = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            var outcome = await new Rollout(Four, PerMille: 10).RunAsync(room, warmUp, content, chunks);
            // All that one copy of everything does not explain, announcements and repeated blocks too. Every chunk is a block, with a table of 10 bytes.
            var once = chunks * Math.Ceiling(((new FileInfo(Path.Combine(content, "frames")).Length / (double)chunks) + 10) / 1408) * Packet;
            var repair = PeerProcess.Number(outcome.Sender, "sent") - once;
            shares.Add(repair / (outcome.LostBytes.Max() * Packet));
            Print($"repair round {round + 1}: {repair / 1e6:F1} MB sent besides one copy, the worst receiver lost {outcome.LostBytes.Max() * Packet / 1e6:F1} MB", outcome);
        }
        return Text($"repair={Median(shares):F2}");
    }

    /// <summary>What many, a slow one and a late one cost, at a pace that the lab's processors carry.</summary>
    public async Task<string> PacedAsync(string content, double bits, Func<string, bool> wanted)
    {
        List<double> one = [], eight = [], withSlow = [], late = [];
        for (var round = 0; round < rounds; round++)
        {
            var alone = await new Rollout(1, bits).RunAsync(room, warmUp, content, chunks);
            one.Add(alone.Last);
            Print($"paced round {round + 1}: 1 receiver {alone.Last:F2} s", alone);
            var all = await new Rollout(8, bits).RunAsync(room, warmUp, content, chunks);
            eight.Add(all.Last);
            Print($"paced round {round + 1}: 8 receivers {all.Last:F2} s", all);
            if (wanted("slowOne"))
            {
                // A quarter of what the stream brings; the frames are noise, so plain bytes are stored bytes.
                var slow = await new Rollout(8, bits, SlowSink: bits / 8 / 4).RunAsync(room, warmUp, content, chunks);
                withSlow.Add(slow.Seconds[1..].Max());
                Print($"paced round {round + 1}: one of eight at quarter speed: the seven {withSlow[^1]:F2} s, the slow one {slow.Seconds[0]:F2} s ({slow.Ends[0]["end"]})", slow);
            }
            if (wanted("lateJoin"))
            {
                var joined = await new Rollout(4, bits, LateAt: 0.5, LateAfter: all.Last).RunAsync(room, warmUp, content, chunks);
                var others = joined.Seconds[..^1].Max();
                late.Add((joined.Last - others) / others);
                Print($"paced round {round + 1}: one joined after {joined.JoinedLate:F2} s; the others {others:F2} s, it {joined.Seconds[^1]:F2} s", joined);
            }
        }
        var line = Text($"paced={bits / 1e6:F0}Mbit/s scale8={Median(eight) / Median(one):F3}");
        if (withSlow.Count > 0)
            line += Text($" slowOne={Median(withSlow) / Median(eight):F3}");
        if (late.Count > 0)
            line += Text($" lateJoin={Median(late):F3}T");
        return line;
    }

    private static void Print(string what, Rollout.Outcome outcome)
    {
        var sender = outcome.Sender;
        Console.WriteLine(what + Text($"   [sent {PeerProcess.Number(sender, "sent") / 1e6:F0} MB, repair {PeerProcess.Number(sender, "repair"):P1}, passes {sender["pass"]}, sender CPU {sender["cpu"]} s; receivers' drops {Sum(outcome, "drops")}, missed {Sum(outcome, "missed")}, fetched {Sum(outcome, "fetched")} chunks, CPU {Sum(outcome, "cpu"):F1} s, peak {outcome.Ends.Max(end => PeerProcess.Number(end, "peak")):F0} MiB]"));
    }

    private static double Sum(Rollout.Outcome outcome, string name) => outcome.Ends.Sum(end => PeerProcess.Number(end, name));

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
