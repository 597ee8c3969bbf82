using ImageForge.Contracts;

namespace ImageForge.Agent.Inventory;

/// <summary>Processors from /proc/cpuinfo: one block per hardware thread, <c>physical id</c> names the socket and <c>core id</c> the core in it.</summary>
internal static class CpuTable
{
    public static CpuInventory Read(SystemRoot root)
    {
        string? model = null;
        var threads = 0;
        var sockets = new HashSet<string>(StringComparer.Ordinal);
        var cores = new HashSet<(string, string)>();
        string socket = "0", core = "";
        foreach (var line in root.Lines("/proc/cpuinfo", mostBytes: 4 << 20))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
                continue;
            var value = line[(colon + 1)..].Trim();
            switch (line[..colon].Trim())
            {
                case "processor":
                    Close();
                    threads++;
                    (socket, core) = ("0", value);
                    break;
                case "model name":
                    model ??= SystemRoot.Clean(value);
                    break;
                case "physical id":
                    socket = value;
                    break;
                case "core id":
                    core = value;
                    break;
            }
        }
        Close();
        return new CpuInventory(model ?? "unknown", Math.Max(1, sockets.Count), Math.Max(1, cores.Count), Math.Max(1, threads));

        void Close()
        {
            if (threads == 0)
                return;
            sockets.Add(socket);
            cores.Add((socket, core));
        }
    }
}
