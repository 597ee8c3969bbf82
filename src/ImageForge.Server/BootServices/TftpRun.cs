using System.Net;
using System.Text;
using ImageForge.NetBoot.Tftp;
using ImageForge.Server.Boot;

namespace ImageForge.Server.BootServices;

/// <summary>TFTP: the first script, made in memory with our address in it, and the iPXE binaries of the boot files folder.</summary>
internal sealed class TftpRun : BootServiceRun
{
    private readonly TftpServer _server;
    private readonly string _interface;
    private readonly int _port;

    private TftpRun(TftpServer server, string interfaceName, int port)
    {
        _server = server;
        _interface = interfaceName;
        _port = port;
    }

    /// <exception cref="BootServiceRefusal">The port could not be opened.</exception>
    public static TftpRun Open(BootInterface on, int port, int httpPort, BootScripts scripts, BootFiles files, TimeProvider time, Action<TftpTransferReport> onTransfer)
    {
        var first = Encoding.ASCII.GetBytes(scripts.Boot(BootAddresses.Of(on.Address, httpPort, 0).HttpBase));
        // No autoexec.ipxe: iPXE 1.21 asks for it before it has an address, and would run the script too early.
        var served = new VirtualTftpFiles(Folder(files.Folder));
        served.Set("boot.ipxe", _ => first);
        var server = new TftpServer(new TftpServerOptions(IPAddress.Any, port) { Interface = on.Name }, served, time, onTransfer);
        try
        {
            server.Start();
        }
        catch (Exception e)
        {
            server.DisposeAsync().AsTask().GetAwaiter().GetResult();
            throw BootServiceRefusal.From(e, port, on.Name);
        }
        return new TftpRun(server, on.Name, port);
    }

    /// <summary>Null when there is no such folder: the first script is served all the same, for machines that have iPXE built in.</summary>
    private static FolderTftpFiles? Folder(string path)
    {
        try
        {
            // Empty is better than absent: files that are put there later are served without a restart.
            Directory.CreateDirectory(path);
            return new FolderTftpFiles(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public override Task Completion => _server.Completion;

    public override IReadOnlyList<string> Listens => [$"{_interface} udp/{_port}"];

    public override IReadOnlyDictionary<string, long> Counters
    {
        get
        {
            var counters = _server.Counters;
            var totals = new SortedDictionary<string, long>(StringComparer.Ordinal)
            {
                ["requests"] = counters.Requests,
                ["bytes"] = counters.Bytes,
                ["retransmitted"] = counters.Retransmitted,
                ["activeTransfers"] = _server.ActiveTransfers,
            };
            foreach (var outcome in Enum.GetValues<TftpOutcome>())
                totals[$"transfers.{Camel(outcome.ToString())}"] = counters.Count(outcome);
            foreach (var (reason, count) in counters.Ignored)
                totals[$"ignored.{Camel(reason.ToString())}"] = count;
            return totals;
        }
    }

    public override ValueTask DisposeAsync() => _server.DisposeAsync();
}
