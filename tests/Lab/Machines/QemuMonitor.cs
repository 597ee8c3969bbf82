using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace ImageForge.Lab.Machines;

/// <summary>QEMU's machine protocol (QMP) over its Unix socket: one JSON object per line each way.</summary>
public sealed class QemuMonitor : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private StreamReader _reader = StreamReader.Null;

    public static async Task<QemuMonitor> ConnectAsync(string path)
    {
        var monitor = new QemuMonitor();
        await monitor._socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        monitor._reader = new StreamReader(new NetworkStream(monitor._socket));
        await monitor._reader.ReadLineAsync();
        await monitor.SendAsync("qmp_capabilities");
        return monitor;
    }

    /// <exception cref="LabException">QEMU refused the command or closed the connection.</exception>
    public async Task<JsonNode?> SendAsync(string command, JsonObject? arguments = null)
    {
        var request = new JsonObject { ["execute"] = command };
        if (arguments is not null)
            request["arguments"] = arguments;
        await _socket.SendAsync(Encoding.UTF8.GetBytes(request.ToJsonString() + "\n"));
        while (true)
        {
            var line = await _reader.ReadLineAsync() ?? throw new LabException($"QEMU closed its monitor during {command}");
            var reply = JsonNode.Parse(line)!.AsObject();
            if (reply["error"] is { } error)
                throw new LabException($"QEMU refused {command}: {error.ToJsonString()}");
            if (reply.ContainsKey("return"))
                return reply["return"];
            // Anything else is an event; nobody here waits for those.
        }
    }

    public void Dispose()
    {
        _reader.Dispose();
        _socket.Dispose();
    }
}
