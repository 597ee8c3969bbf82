using System.Globalization;
using ImageForge.Lab.Networks;
using ImageForge.MulticastPeer;

namespace ImageForge.Bench.Multicast;

/// <summary>Ours beside udpcast to receivers in namespaces of their own, and what late, slow, lossy and many receivers cost us.</summary>
internal static class MulticastBench
{
    private const int ChunkBytes = 1 << 20;
    private const double Paced = 300e6;

    public static async Task<int> RunAsync(string[] args)
    {
        var quick = args.Contains("--quick");
        var rounds = Option(args, "--rounds", quick ? 1 : 3);
        var chunks = Option(args, "--mib", quick ? 128 : 400);
        var only = Array.IndexOf(args, "--only") is >= 0 and var at ? args[at + 1] : null;
        bool Wanted(string name) => only is null || only.Split(',').Contains(name);
        var folder = Directory.CreateTempSubdirectory("imageforge-bench-").FullName;
        try
        {
            var (warmUp, content, text) = (Path.Combine(folder, "warm-up"), Path.Combine(folder, "content"), Path.Combine(folder, "text"));
            ContentFolder.Make(warmUp, 1, 48, ChunkBytes, compressible: false);
            ContentFolder.Make(content, 2, chunks, ChunkBytes, compressible: false);
            ContentFolder.Make(text, 3, chunks, ChunkBytes, compressible: true);
            await using var room = await MulticastRoom.CreateAsync(8);
            Console.WriteLine($"Namespaces on one bridge, packets cut up in the sender's namespace, {chunks} chunks of 1 MiB; ours to verified and written at the last receiver over TLS feedback, udpcast to its last byte; medians of {rounds} round(s), the sides in turn.");
            var measured = new Measured(room, warmUp, chunks, rounds);
            var line = $"receivers=4 mib={chunks} rounds={rounds}";
            if (Wanted("ratio"))
                line = await measured.BesideAsync("ratio", content, 0) + " " + line;
            if (Wanted("ratioLoss"))
                line += " " + await measured.BesideAsync("ratioLoss", content, 10);
            if (Wanted("ratioText"))
                line += " " + await measured.BesideAsync("ratioText", text, 0);
            if (Wanted("repair"))
                line += " " + await measured.RepairAsync(content);
            if (Wanted("scale8") || Wanted("slowOne") || Wanted("lateJoin"))
                line += " " + await measured.PacedAsync(content, Paced, Wanted);
            Console.WriteLine($"bench multicast: {line}");
            return 0;
        }
        catch (InvalidOperationException e) when (e.Message.StartsWith("void", StringComparison.Ordinal))
        {
            Console.WriteLine(e.Message);
            return 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int Option(string[] args, string name, int otherwise) =>
        Array.IndexOf(args, name) is >= 0 and var at ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : otherwise;
}
