using System.Net.Sockets;

namespace ImageForge.Server.BootServices;

/// <summary>Why a boot service does not run, in the words people see.</summary>
internal sealed class BootServiceRefusal(string sentence, string cure, Exception? inner = null) : Exception(sentence, inner)
{
    public string Cure { get; } = cure;

    /// <summary>The sentence and the cure for what opening or keeping UDP port <paramref name="port"/> ran into.</summary>
    public static BootServiceRefusal From(Exception exception, int port, string interfaceName) => exception switch
    {
        BootServiceRefusal refusal => refusal,
        SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } => new(
            $"UDP port {port} is in use by another program on this machine.",
            $"Find it with `ss -lunp 'sport = :{port}'` and stop it (often dnsmasq, isc-dhcp-server, tftpd-hpa or libvirt), then start the service again.", exception),
        SocketException { SocketErrorCode: SocketError.AccessDenied } => new(
            $"This user may not open UDP port {port} on {interfaceName}.",
            $"Run the server as root, or run `sudo setcap cap_net_bind_service,cap_net_raw=+ep {Environment.ProcessPath}` and start the server again.", exception),
        SocketException { SocketErrorCode: SocketError.NetworkUnreachable } or SocketException { NativeErrorCode: 19 } => new(
            $"The interface {interfaceName} went away.", "Connect it again; the service starts by itself as soon as it is there.", exception),
        _ when port == 0 => new(exception.Message, "The server's log has the details; correct the cause and start the service again.", exception),
        _ => new($"UDP port {port} could not be served: {exception.Message}", "The server's log has the details; correct the cause and start the service again.", exception),
    };
}
