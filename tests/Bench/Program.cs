using ImageForge.Bench.Boot;
using ImageForge.Bench.Capture;
using ImageForge.Bench.Deploy;
using ImageForge.Bench.Multicast;
using ImageForge.Bench.Recapture;
using ImageForge.Bench.Redeploy;
using ImageForge.Bench.Store;
using ImageForge.Bench.Tftp;

// dotnet run -c Release --project tests/Bench -- <name> [--quick]
// Each bench returns its exit code: 0 with a last line "bench <name>: …", anything else without one.
var benches = new Dictionary<string, Func<string[], Task<int>>>
{
    ["boot"] = BootBench.RunAsync,
    ["tftp"] = TftpBench.RunAsync,
    ["capture"] = CaptureBench.RunAsync,
    ["recapture"] = RecaptureBench.RunAsync,
    ["deploy"] = DeployBench.RunAsync,
    ["redeploy"] = RedeployBench.RunAsync,
    ["store"] = StoreBench.RunAsync,
    ["multicast"] = MulticastBench.RunAsync,
    // Run by benches in a process of their own.
    ["serve-tftp"] = ServeTftp.RunAsync,
};

if (args.Length > 0 && benches.TryGetValue(args[0], out var bench))
    return await bench(args[1..]);
Console.Error.WriteLine($"usage: bench <{string.Join('|', benches.Keys.Where(name => !name.StartsWith("serve-", StringComparison.Ordinal)))}> [--quick]");
return 2;
