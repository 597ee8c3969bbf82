using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using ImageForge.NetBoot.Sockets;

namespace ImageForge.NetBoot.Tftp;

/// <summary>
/// The one thread that serves every transfer: an epoll loop over the request socket and one socket per transfer.
/// Nothing in it waits but epoll, and nothing on the path of an ACK allocates.
/// </summary>
internal sealed class TftpLoop(TftpServerOptions options, ITftpFiles files, TimeProvider time, TftpCounters counters, Action<TftpTransferReport> onTransfer) : IDisposable
{
    private const ulong RequestPort = ulong.MaxValue - 1;

    private readonly Epoll _epoll = new();
    private readonly TftpSessions _sessions = new(options);
    private readonly byte[] _buffer = new byte[4096];
    private Socket? _requests;
    private volatile bool _stopping;
    private long _nextSweep;

    public int ActiveTransfers => _sessions.Count;

    /// <summary>Binds the request port.</summary>
    public IPEndPoint Bind()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            if (options.Interface.Length > 0)
                socket.SetRawSocketOption(Libc.SolSocket, Libc.BindToDevice, System.Text.Encoding.ASCII.GetBytes(options.Interface + '\0'));
            // To answer from the address that was asked.
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.PacketInformation, true);
            socket.Bind(new IPEndPoint(options.ListenAddress, options.Port));
            _epoll.Add((int)socket.Handle, RequestPort);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        _requests = socket;
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <summary>Returns after <see cref="Stop"/>.</summary>
    public void Run()
    {
        while (!_stopping)
        {
            var ready = _epoll.Wait(_sessions.Count == 0 ? -1 : MillisecondsToSweep());
            var now = Now();
            for (var i = 0; i < ready; i++)
            {
                var data = _epoll.Data(i);
                if (data == RequestPort)
                    OnRequest(now);
                else if (data != Epoll.Woken && _sessions.Find(data) is { } session)
                    OnTransferPacket(session, now);
            }
            if (now >= _nextSweep)
                Sweep(now);
        }
        foreach (var session in _sessions.All())
        {
            session.Transfer.Stop();
            End(session);
        }
    }

    public void Stop()
    {
        _stopping = true;
        _epoll.Wake();
    }

    private void OnRequest(long now)
    {
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        var flags = SocketFlags.None;
        int count;
        IPPacketInformation arrival;
        try
        {
            count = _requests!.ReceiveMessageFrom(_buffer, ref flags, ref from, out arrival);
        }
        catch (SocketException)
        {
            // Nothing there after all (bad checksum), or an error of the link: epoll tells when there is more.
            return;
        }
        counters.RecordRequest();
        var client = (IPEndPoint)from;
        var peer = new InternetAddress(client);
        if (!TftpRequestParser.TryParse(_buffer.AsSpan(0, count), out var request, out var defect))
        {
            counters.Record(defect.Reason);
            if (defect.Code is { } code)
                Refuse(client, "", new TftpRefused(code, defect.Message));
            return;
        }
        if (_sessions.Find(peer) is { } running)
        {
            if (running.Path == request.Path && running.Transfer.JustBegun)
            {
                counters.Record(TftpIgnoreReason.RepeatedRequest);
                running.Transfer.Repeat(now);
                return;
            }
            running.Transfer.Replace();
            End(running);
        }
        if (_sessions.Refusal(peer) is { } full)
        {
            // Not answered: the client repeats its request in a second or two, and an error would end its boot.
            counters.Record(full);
            return;
        }
        Begin(request, client, peer, arrival.Address, now);
    }

    private void Begin(TftpRequest request, IPEndPoint client, InternetAddress peer, IPAddress asked, long now)
    {
        var opening = OpenGuarded(request, client);
        if (opening is not TftpOpened opened)
        {
            Refuse(client, request.Path, (TftpRefused)opening);
            return;
        }
        var agreement = TftpAgreement.Negotiate(request, opened.Content.Length, options, out var refused);
        while (refused-- > 0)
            counters.Record(TftpIgnoreReason.OptionRefused);
        try
        {
            // A request sent to a broadcast address is answered from whichever address routes to the client.
            var local = asked.GetAddressBytes() is [255, ..] or [>= 224 and < 240, ..] || asked.Equals(IPAddress.Broadcast) ? IPAddress.Any : asked;
            var session = new TftpSession(request.Path, client, peer, new UdpSocket(new IPEndPoint(local, 0), options.Interface), counters, now);
            _epoll.Add(session.Socket.Descriptor, _sessions.Add(session));
            session.Transfer = new TftpTransfer(opened.Content, agreement, options, session, now);
            _nextSweep = Math.Min(_nextSweep, now + SweepTicks);
            if (session.Transfer.Outcome is not null)
                End(session);
        }
        catch (Win32Exception e)
        {
            // No descriptor left, or the address is gone; the loop goes on with those it has.
            opened.Content.Dispose();
            counters.Record(TftpIgnoreReason.SendFailed);
            onTransfer(new TftpTransferReport(client, request.Path, TftpOutcome.Refused) { Detail = e.Message });
        }
    }

    private TftpOpening OpenGuarded(TftpRequest request, IPEndPoint client)
    {
        try
        {
            var opening = files.Open(request.Path, client);
            return request.Netascii && opening is TftpOpened opened ? NetasciiContent.Convert(opened.Content) : opening;
        }
        catch (Exception e)
        {
            // A fault in what renders one file must not end the transfers of all others; it is counted and told.
            counters.Record(TftpIgnoreReason.ResponderFault);
            return new TftpRefused(TftpErrorCode.Undefined, $"the server failed to open it: {e.GetType().Name}");
        }
    }

    private void Refuse(IPEndPoint client, string path, TftpRefused why)
    {
        try
        {
            _requests!.SendTo(TftpPackets.Error(why.Code, why.Message), client);
        }
        catch (SocketException)
        {
            counters.Record(TftpIgnoreReason.SendFailed);
        }
        Report(new TftpTransferReport(client, path, TftpOutcome.Refused) { Detail = why.Message });
    }

    private void OnTransferPacket(TftpSession session, long now)
    {
        var count = session.Socket.Receive(_buffer, out var from);
        if (count == UdpSocket.Nothing)
            return;
        if (!from.IsSame(session.Peer))
        {
            // RFC 1350 §4: the stranger is told, the transfer goes on. Nobody is told about an ERROR.
            counters.Record(TftpIgnoreReason.WrongTransferId);
            if (count < 2 || _buffer[1] != (byte)TftpOpcode.Error)
                session.Socket.Send(TftpPackets.Error(TftpErrorCode.UnknownTransferId, "unknown transfer identifier"), from);
            return;
        }
        if (session.Transfer.OnPacket(_buffer.AsSpan(0, count), now) is { } reason)
            counters.Record(reason);
        if (session.Transfer.Outcome is not null)
            End(session);
    }

    // Timers are looked at this often at most and at least. An ACK may bring a deadline forward without telling the loop,
    // so a retransmission may be the second figure late.
    private static readonly long SweepTicks = TimeSpan.FromMilliseconds(20).Ticks, SweepAtLeastTicks = TimeSpan.FromMilliseconds(100).Ticks;

    private void Sweep(long now)
    {
        var earliest = long.MaxValue;
        foreach (var session in _sessions.All())
        {
            session.Transfer.OnTime(now);
            if (session.Transfer.Outcome is not null)
                End(session);
            else
                earliest = Math.Min(earliest, session.Transfer.Deadline);
        }
        _nextSweep = Math.Clamp(earliest, now + SweepTicks, now + SweepAtLeastTicks);
    }

    private int MillisecondsToSweep() =>
        (int)Math.Clamp((_nextSweep - Now()) / TimeSpan.TicksPerMillisecond + 1, 1, 1000);

    private void End(TftpSession session)
    {
        _sessions.Remove(session);
        var transfer = session.Transfer;
        Report(new TftpTransferReport(session.Client, session.Path, transfer.Outcome!.Value)
        {
            Bytes = transfer.BytesAcknowledged,
            Length = transfer.Length,
            Elapsed = TimeSpan.FromTicks(Now() - session.Began),
            BlockSize = transfer.BlockSize,
            WindowSize = transfer.WindowSize,
            Retransmitted = transfer.Retransmitted,
            Detail = transfer.Detail,
        });
        session.Dispose();
    }

    private void Report(TftpTransferReport report)
    {
        counters.Record(report);
        onTransfer(report);
    }

    /// <summary>Monotonic, in ticks of 100 ns.</summary>
    private long Now() => time.GetElapsedTime(0).Ticks;

    public void Dispose()
    {
        _requests?.Dispose();
        _epoll.Dispose();
    }
}
