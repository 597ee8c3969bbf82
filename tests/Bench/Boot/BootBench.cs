using System.Globalization;
using System.Net;

namespace ImageForge.Bench.Boot;

/// <summary>
/// The boot question under load: 2,000 machines over 200 connections ask <c>GET /boot/{mac}</c> of the published server with its SQLite
/// database, beside nginx serving one static file per machine.
/// </summary>
internal static class BootBench
{
    private const int Connections = 200, Approved = 1000, Discovered = 900, Unknown = 100, Waiting = 200;

    public static async Task<int> RunAsync(string[] args)
    {
        var total = args.Contains("--quick") ? 20_000 : 100_000;
        var warmUp = total / 5;
        if (StaticPeer.Missing() is { } missing)
        {
            Console.Error.WriteLine(missing);
            return 2;
        }
        var folder = Directory.CreateTempSubdirectory("imageforge-bench-").FullName;
        try
        {
            Console.WriteLine($"bench boot: {Approved + Discovered + Unknown} machines ({Approved} approved, {Discovered} discovered, {Unknown} unknown) ask GET /boot/{{mac}}, {Connections} connections kept open, {total} questions after {warmUp} to warm up; load generator on the same machine, {Environment.ProcessorCount} processors");
            var machines = Enumerable.Range(0, Approved + Discovered + Unknown).Select(Mac).ToArray();
            var waiting = Enumerable.Range(10_000, Waiting).Select(Mac).ToArray();
            string sample;
            LoadResult ours, agents;
            TimeSpan spent;

            // Discovering hundreds of machines from one address is what the limit per source prevents; it is raised for the preparation only.
            await using (var server = await BenchServer.StartAsync(folder, "Boot:DiscoveriesPerSecondPerSource=1000000", "Boot:DiscoveryBurstPerSource=1000000"))
            {
                await server.SetUpAsync();
                await server.AddHostsAsync([.. machines.Take(Approved), .. waiting]);
                await HttpLoad.RunAsync(server.Http, [.. machines.Skip(Approved).Take(Discovered).Select(Request)], Connections, Discovered);
                await server.WaitForHostsAsync(Approved + Waiting + Discovered);
                await server.OrderInventoryAsync(waiting);
            }
            await using (var server = await BenchServer.StartAsync(folder, "Boot:TrustedSubnets:0=127.0.0.0/8"))
            {
                var requests = machines.Select(Request).ToArray();
                await HttpLoad.RunAsync(server.Http, requests, Connections, warmUp);
                var before = server.ProcessorTime;
                ours = await HttpLoad.RunAsync(server.Http, requests, Connections, total);
                spent = server.ProcessorTime - before;
                sample = ours.Sample;
                agents = await HttpLoad.RunAsync(server.Http, [.. waiting.Select(Request)], Connections, Waiting);
            }
            LoadResult peer;
            await using (var nginx = await StaticPeer.StartAsync(folder, machines.Take(Approved + Discovered), sample))
            {
                var requests = machines.Select(Request).ToArray();
                await HttpLoad.RunAsync(nginx.Http, requests, Connections, warmUp);
                peer = await HttpLoad.RunAsync(nginx.Http, requests, Connections, total);
            }

            Print("ours: decision from SQLite, sightings and timeline written in the background", ours);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    the server's process used {spent.TotalMicroseconds / total:0} us of processor time per question"));
            Print($"ours, {Waiting} machines whose task is waiting: each gets a token of its own, written before the answer", agents);
            Print("peer: nginx, one static file of the same size per machine; it decides and records nothing, access log off", peer);
            foreach (var result in new[] { ours, agents, peer })
            {
                if (result.Failures.Count > 0)
                {
                    Console.WriteLine($"VOID: {result.Failures.Count} questions failed, the first: {result.Failures[0]}");
                    return 1;
                }
            }
            if (!agents.Sample.Contains("set token ", StringComparison.Ordinal))
            {
                Console.WriteLine($"VOID: a machine with a waiting task got no token:\n{agents.Sample}");
                return 1;
            }
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"bench boot: ours={ours.Elapsed.TotalMilliseconds:0}ms peer={peer.Elapsed.TotalMilliseconds:0}ms ratio={ours.Elapsed / peer.Elapsed:0.00} rps={ours.PerSecond:0} p99ms={ours.Percentile(0.99):0.0} p50ms={ours.Percentile(0.5):0.0} peerRps={peer.PerSecond:0} peerP99ms={peer.Percentile(0.99):0.0} tokenRps={agents.PerSecond:0} tokenP99ms={agents.Percentile(0.99):0.0} cpuMicrosPerQuestion={spent.TotalMicroseconds / total:0}"));
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Print(string what, LoadResult result) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"  {what}\n    {result.Count} in {result.Elapsed.TotalMilliseconds:0} ms = {result.PerSecond:0}/s, p50 {result.Percentile(0.5):0.0} ms, p99 {result.Percentile(0.99):0.0} ms, worst {result.Percentile(1):0.0} ms, {result.Failures.Count} failed"));

    public static string Mac(int number) => string.Create(CultureInfo.InvariantCulture, $"52-54-01-{number >> 16 & 255:x2}-{number >> 8 & 255:x2}-{number & 255:x2}");

    /// <summary>As iPXE asks.</summary>
    private static byte[] Request(string mac) => System.Text.Encoding.ASCII.GetBytes(
        $"GET /boot/{mac}?uuid=4c4c4544-0042-3510-8052-b4c04f4a{mac[^5..].Replace("-", "", StringComparison.Ordinal)}&serial=SN{mac[^8..]}&asset=&product=OptiPlex%207090&manufacturer=Dell%20Inc.&arch=x86_64&platform=efi HTTP/1.1\r\nConnection: keep-alive\r\nUser-Agent: iPXE/1.21.1\r\nHost: {IPAddress.Loopback}\r\n\r\n");
}
