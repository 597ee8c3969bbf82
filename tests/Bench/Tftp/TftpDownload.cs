using System.Buffers.Binary;
using System.Text;
using ImageForge.NetBoot.Sockets;

namespace ImageForge.Bench.Tftp;

/// <summary>One client's download: asks, acknowledges, and compares every block with the file it must be.</summary>
internal sealed class TftpDownload : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private const int Attempts = 8;

    private readonly byte[] _expected;
    private readonly int _window;
    private readonly byte[] _request;
    private readonly byte[] _ack = [0, 4, 0, 0];
    private InternetAddress _server;
    private bool _talking;
    private int _blockSize = 512;
    private long _received;
    private long _acknowledged;
    private long _deadline;
    private int _silences;

    public TftpDownload(string file, byte[] expected, int blockSize, int window, System.Net.IPEndPoint server, long now)
    {
        (_expected, _window, _server) = (expected, window, new InternetAddress(server));
        var options = $"blksize\0{blockSize}\0" + (window > 1 ? $"windowsize\0{window}\0" : "");
        _request = [0, 1, .. Encoding.ASCII.GetBytes($"{file}\0octet\0{options}")];
        Socket = new UdpSocket(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0), "");
        Socket.Send(_request, _server);
        _deadline = now + Patience.Ticks;
    }

    public UdpSocket Socket { get; }
    public bool Done { get; private set; }
    public string? Failure { get; private set; }
    public int Retransmissions { get; private set; }

    public void OnReadable(byte[] buffer, long now)
    {
        var count = Socket.Receive(buffer, out var from);
        if (count < 4 || Done)
            return;
        if (!_talking)
            (_server, _talking) = (from, true);
        switch (buffer[1])
        {
            case 3:
                OnData(buffer.AsSpan(0, count));
                break;
            case 6:
                OnOptions(Encoding.ASCII.GetString(buffer, 2, count - 2).Split('\0'));
                break;
            default:
                Fail("the server answered " + Encoding.ASCII.GetString(buffer, 4, count - 4));
                break;
        }
        _silences = 0;
        _deadline = now + Patience.Ticks;
    }

    public void OnTime(long now)
    {
        if (Done || now < _deadline)
            return;
        if (++_silences > Attempts)
        {
            Fail($"no answer after block {_received}");
            return;
        }
        Retransmissions++;
        if (_talking)
            Acknowledge();
        else
            Socket.Send(_request, _server);
        _deadline = now + Patience.Ticks;
    }

    private void OnOptions(string[] pairs)
    {
        for (var i = 0; i + 1 < pairs.Length; i += 2)
        {
            if (pairs[i] == "blksize")
                _blockSize = int.Parse(pairs[i + 1]);
        }
        Acknowledge();
    }

    private void OnData(ReadOnlySpan<byte> packet)
    {
        var block = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        var data = packet[4..];
        if (block != (ushort)(_received + 1))
        {
            // A gap: say what is missing. An old block again: silence, or it would never end.
            if ((ushort)(block - (ushort)_received) < 0x8000 && _window > 1)
                Acknowledge();
            return;
        }
        var offset = _received * _blockSize;
        var wanted = (int)Math.Min(_blockSize, _expected.Length - offset);
        if (wanted < 0 || !data.SequenceEqual(_expected.AsSpan((int)offset, wanted)))
        {
            Fail($"block {_received + 1} differs from the file");
            return;
        }
        _received++;
        Done = data.Length < _blockSize;
        if (Done || _received - _acknowledged >= _window)
            Acknowledge();
    }

    private void Acknowledge()
    {
        _acknowledged = _received;
        BinaryPrimitives.WriteUInt16BigEndian(_ack.AsSpan(2), (ushort)_received);
        Socket.Send(_ack, _server);
    }

    private void Fail(string why) => (Done, Failure) = (true, why);

    public void Dispose() => Socket.Dispose();
}
