using System.Net;
using System.Net.Sockets;
using System.Text;
using ImageForge.NetBoot.Tftp;

namespace ImageForge.NetBoot.Tests.Tftp;

/// <summary>The server on loopback, packet by packet.</summary>
public sealed class TftpServerTests : IAsyncLifetime
{
    private readonly ServedFolder _served = new(o => o with { MaxTransfers = 5, MaxTransfersPerSource = 4 });
    private readonly List<Socket> _sockets = [];

    public Task InitializeAsync()
    {
        _served.Server.Start();
        return Task.CompletedTask;
    }

    private Socket Client()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 3000 };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _sockets.Add(socket);
        return socket;
    }

    private void Ask(Socket socket, string name, string rest = "octet\0", byte opcode = 1) =>
        socket.SendTo([0, opcode, .. Encoding.UTF8.GetBytes($"{name}\0{rest}")], _served.Server.LocalEndPoint);

    private static (byte[] Packet, EndPoint From) Receive(Socket socket)
    {
        var buffer = new byte[2048];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        return (buffer[..socket.ReceiveFrom(buffer, ref from)], from);
    }

    private static void AssertError(TftpErrorCode code, byte[] packet)
    {
        Assert.Equal([0, 5, 0, (byte)code], packet[..4]);
        Assert.Equal(0, packet[^1]);
        Assert.True(packet.Length > 6, "the error has no words");
    }

    [Fact]
    public void Data_comes_from_a_port_of_its_own_and_the_asked_address()
    {
        var client = Client();
        Ask(client, "/small");
        var (packet, from) = Receive(client);
        Assert.Equal([0, 3, 0, 1], packet[..4]);
        Assert.Equal(516, packet.Length);
        Assert.Equal(IPAddress.Loopback, ((IPEndPoint)from).Address);
        Assert.NotEqual(_served.Port, ((IPEndPoint)from).Port);
    }

    [Theory]
    [InlineData("nothing-here", TftpErrorCode.FileNotFound)]
    [InlineData("../../../etc/passwd", TftpErrorCode.AccessViolation)]
    [InlineData("..\\etc\\passwd", TftpErrorCode.AccessViolation)]
    [InlineData("/etc/passwd", TftpErrorCode.FileNotFound)]
    [InlineData("%2e%2e/%2e%2e/etc/passwd", TftpErrorCode.FileNotFound)]
    public void A_bad_path_is_told_in_words(string path, TftpErrorCode code)
    {
        var client = Client();
        Ask(client, path);
        AssertError(code, Receive(client).Packet);
    }

    [Fact]
    public async Task Writing_is_refused_and_nothing_is_written()
    {
        var client = Client();
        Ask(client, "new-file", opcode: 2);
        AssertError(TftpErrorCode.AccessViolation, Receive(client).Packet);
        Assert.False(File.Exists(_served.PathOf("new-file")));
        await _served.ReportAsync(r => r is { Outcome: TftpOutcome.Refused, Detail: "this server is read-only" });
        Assert.Equal(1, _served.Server.Counters.Count(TftpIgnoreReason.WriteRefused));
    }

    [Fact]
    public async Task A_stranger_gets_error_5_and_the_transfer_goes_on()
    {
        var (client, stranger) = (Client(), Client());
        Ask(client, "even");
        var (_, server) = Receive(client);

        stranger.SendTo([0, 4, 0, 1], server);
        AssertError(TftpErrorCode.UnknownTransferId, Receive(stranger).Packet);
        // An ERROR from a stranger is not answered, and ends nothing.
        stranger.SendTo([0, 5, 0, 0, 0], server);

        for (byte n = 1; n <= 9; n++)
        {
            client.SendTo([0, 4, 0, n], server);
            if (n < 9)
                Assert.Equal(n + 1, Receive(client).Packet[3]);
        }
        var report = await _served.ReportAsync(r => r.Path == "even");
        Assert.Equal((TftpOutcome.Completed, 4096L), (report.Outcome, report.Bytes));
        Assert.Equal(2, _served.Server.Counters.Count(TftpIgnoreReason.WrongTransferId));
        Assert.Equal(0, stranger.Available);
    }

    [Fact]
    public void A_repeated_request_repeats_the_answer_of_the_same_transfer()
    {
        var client = Client();
        Ask(client, "small");
        var (_, first) = Receive(client);
        Ask(client, "small");
        var (packet, second) = Receive(client);
        Assert.Equal(first, second);
        Assert.Equal([0, 3, 0, 1], packet[..4]);
        Assert.Equal(1, _served.Server.ActiveTransfers);
        Assert.Equal(1, _served.Server.Counters.Count(TftpIgnoreReason.RepeatedRequest));
    }

    [Fact]
    public async Task A_machine_that_was_reset_and_asks_from_the_same_port_begins_anew()
    {
        var client = Client();
        Ask(client, "small");
        var (_, first) = Receive(client);
        client.SendTo([0, 4, 0, 1], first);
        Receive(client);
        Ask(client, "small");
        var (packet, second) = Receive(client);
        Assert.Equal([0, 3, 0, 1], packet[..4]);
        Assert.NotEqual(first, second);
        await _served.ReportAsync(r => r.Outcome == TftpOutcome.AbortedByClient);
        Assert.Equal(1, _served.Server.ActiveTransfers);
    }

    [Fact]
    public async Task Transfers_beyond_the_limit_of_a_source_are_counted_and_not_answered_until_one_ends()
    {
        var clients = Enumerable.Range(0, 5).Select(_ => Client()).ToList();
        var servers = new List<EndPoint>();
        foreach (var client in clients[..4])
        {
            Ask(client, "small");
            servers.Add(Receive(client).From);
        }
        Ask(clients[4], "small");
        await Until(() => _served.Server.Counters.Count(TftpIgnoreReason.TooManyFromSource) == 1);
        Assert.Equal(0, clients[4].Available);

        clients[0].SendTo([0, 5, 0, 0, 0], servers[0]);
        await _served.ReportAsync(r => r.Outcome == TftpOutcome.AbortedByClient);
        Ask(clients[4], "small");
        Assert.Equal(3, Receive(clients[4]).Packet[1]);
    }

    [Fact]
    public async Task A_silent_client_is_given_up_and_leaves_nothing_behind()
    {
        await using var served = new ServedFolder(o => o with { RetransmitAfter = TimeSpan.FromMilliseconds(40), RetransmitAtMost = TimeSpan.FromMilliseconds(80), Retries = 3 });
        served.Server.Start();
        var client = Client();
        client.SendTo([0, 1, .. "small\0octet\0"u8], served.Server.LocalEndPoint);
        var report = await served.ReportAsync(r => r.Outcome == TftpOutcome.TimedOut);
        Assert.Equal(3, report.Retransmitted);
        Assert.Equal(4 * 516, client.Available > 0 ? Drain(client) : 0);
        Assert.Equal(0, served.Server.ActiveTransfers);
    }

    [Fact]
    public void Rendered_files_come_before_those_on_disk_and_know_their_client()
    {
        _served.Virtual.Set("boot.ipxe", client => Encoding.ASCII.GetBytes($"#!ipxe for {client.Address}"));
        var client = Client();
        Ask(client, "/boot.ipxe", "octet\0tsize\00\0");
        var (oack, server) = Receive(client);
        Assert.Equal("\0\u0006tsize\020\0", Encoding.ASCII.GetString(oack));
        client.SendTo([0, 4, 0, 0], server);
        Assert.Equal("#!ipxe for 127.0.0.1", Encoding.ASCII.GetString(Receive(client).Packet[4..]));
    }

    [Fact]
    public void A_fault_while_rendering_is_told_to_that_client_only()
    {
        _served.Virtual.Set("broken", _ => throw new InvalidOperationException("secret detail"));
        var client = Client();
        Ask(client, "broken");
        var error = Receive(client).Packet;
        AssertError(TftpErrorCode.Undefined, error);
        Assert.DoesNotContain("secret", Encoding.ASCII.GetString(error), StringComparison.Ordinal);
        Assert.Equal(1, _served.Server.Counters.Count(TftpIgnoreReason.ResponderFault));
        Ask(client, "small");
        Assert.Equal(3, Receive(client).Packet[1]);
    }

    [Fact]
    public void Netascii_of_a_large_file_is_refused_with_the_cure()
    {
        var client = Client();
        Ask(client, "rollover", "netascii\0");
        var error = Receive(client).Packet;
        AssertError(TftpErrorCode.IllegalOperation, error);
        Assert.Contains("octet", Encoding.ASCII.GetString(error), StringComparison.Ordinal);
    }

    [Fact]
    public void A_taken_port_is_an_exception_at_start_and_the_first_server_goes_on()
    {
        var second = new TftpServer(new TftpServerOptions(IPAddress.Loopback, _served.Port), _served.Virtual, TimeProvider.System, _ => { });
        Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(second.Start).SocketErrorCode);
        var client = Client();
        Ask(client, "small");
        Assert.Equal(3, Receive(client).Packet[1]);
    }

    [Fact]
    public async Task Stopping_ends_running_transfers_and_frees_the_port()
    {
        var client = Client();
        Ask(client, "small");
        Receive(client);
        await _served.Server.DisposeAsync();
        Assert.True(_served.Server.Completion.IsCompletedSuccessfully);
        await _served.ReportAsync(r => r.Outcome == TftpOutcome.ServerStopped);
        await using var next = new TftpServer(new TftpServerOptions(IPAddress.Loopback, _served.Port), _served.Virtual, TimeProvider.System, _ => { });
        next.Start();
    }

    private static int Drain(Socket socket)
    {
        var total = 0;
        while (socket.Available > 0)
            total += Receive(socket).Packet.Length;
        return total;
    }

    private static async Task Until(Func<bool> condition)
    {
        for (var i = 0; i < 500 && !condition(); i++)
            await Task.Delay(10);
        Assert.True(condition(), "did not happen within 5 s");
    }

    public async Task DisposeAsync()
    {
        _sockets.ForEach(s => s.Dispose());
        await _served.DisposeAsync();
    }
}
