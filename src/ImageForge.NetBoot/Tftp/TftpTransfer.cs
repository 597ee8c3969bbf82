using System.Buffers.Binary;
using System.Text;

namespace ImageForge.NetBoot.Tftp;

/// <summary>Where a transfer's packets go: the client's transfer identifier.</summary>
internal interface ITftpWire
{
    void Send(ReadOnlySpan<byte> packet);
}

/// <summary>
/// One file on its way to one client: a state machine without socket, thread or clock. The owner hands in packets from
/// the client and the time, in ticks of 100 ns, and looks at <see cref="Outcome"/> and <see cref="Deadline"/> afterwards.
/// </summary>
/// <remarks>
/// Blocks count from 1 as 64-bit numbers; on the wire are their low 16 bits. The last block is shorter than the block
/// size, so a file that divides evenly ends with an empty block (RFC 1350 §2). Block 0 is the OACK.
/// </remarks>
internal sealed class TftpTransfer : IDisposable
{
    private const long NoProbe = long.MaxValue;

    private readonly TftpContent _content;
    private readonly TftpAgreement _agreement;
    private readonly ITftpWire _wire;
    private readonly int _retries;
    private readonly long _lastBlock;
    private readonly ReadAhead _file;
    private readonly byte[] _packet;
    private readonly byte[]? _oack;
    private RetransmitTimer _timer;
    private long _acknowledged;
    private long _next;
    private long _furthest;
    private long _probe = NoProbe;
    private long _windowSent;
    private bool _answeredDuplicate;

    /// <param name="now">The time, as in every other call.</param>
    public TftpTransfer(TftpContent content, TftpAgreement agreement, TftpServerOptions options, ITftpWire wire, long now)
    {
        (_content, _agreement, _wire, _retries) = (content, agreement, wire, options.Retries);
        _lastBlock = content.Length / agreement.BlockSize + 1;
        _file = new ReadAhead(content, agreement.BlockSize * agreement.WindowSize);
        _packet = new byte[TftpPackets.HeaderLength + agreement.BlockSize];
        _timer = new RetransmitTimer(
            (agreement.Timeout ?? options.RetransmitAfter).Ticks,
            options.RetransmitAtLeast.Ticks,
            Math.Max(options.RetransmitAtMost.Ticks, agreement.Timeout?.Ticks ?? 0));
        // Block 0 stands for the OACK: it is acknowledged like any other.
        if (agreement.Acknowledged.Count > 0)
        {
            _oack = TftpPackets.OptionAcknowledgement(agreement.Acknowledged);
            (_acknowledged, _next) = (-1, 0);
        }
        else
        {
            (_acknowledged, _next) = (0, 1);
        }
        _furthest = _next - 1;
        SendWindow(now);
    }

    /// <summary>Null while it goes on.</summary>
    public TftpOutcome? Outcome { get; private set; }
    public string? Detail { get; private set; }

    /// <summary>When <see cref="OnTime"/> has something to do.</summary>
    public long Deadline { get; private set; }

    /// <summary>Nothing acknowledged yet, not even the OACK.</summary>
    public bool JustBegun => _acknowledged <= 0 && _furthest <= 1;

    public long Retransmitted { get; private set; }
    public long Length => _content.Length;
    public int BlockSize => _agreement.BlockSize;
    public int WindowSize => _agreement.WindowSize;
    public long BytesAcknowledged => Math.Clamp(_acknowledged * _agreement.BlockSize, 0, _content.Length);

    /// <summary>A packet from the client's own transfer identifier.</summary>
    /// <returns>Why it changed nothing, or null.</returns>
    public TftpIgnoreReason? OnPacket(ReadOnlySpan<byte> packet, long now)
    {
        if (packet.Length < TftpPackets.HeaderLength)
            return TftpIgnoreReason.TooShort;
        switch ((TftpOpcode)BinaryPrimitives.ReadUInt16BigEndian(packet))
        {
            case TftpOpcode.Acknowledgement:
                return OnAcknowledgement(BinaryPrimitives.ReadUInt16BigEndian(packet[2..]), now);
            case TftpOpcode.Error:
                End(TftpOutcome.AbortedByClient, Describe(packet));
                return null;
            default:
                return TftpIgnoreReason.UnexpectedInTransfer;
        }
    }

    /// <summary>Sends again what was not acknowledged, or gives up.</summary>
    public void OnTime(long now)
    {
        if (Outcome is not null || now < Deadline)
            return;
        if (_timer.Silences >= _retries)
        {
            End(TftpOutcome.TimedOut, $"no answer after {_retries} retransmissions");
            return;
        }
        _timer.Silence();
        Rewind(now);
    }

    /// <summary>The client repeated its request: our first answer was lost.</summary>
    public void Repeat(long now) => Rewind(now);

    public void Stop() => End(TftpOutcome.ServerStopped, null);

    /// <summary>The client began anew from the same port, after a reset for example.</summary>
    public void Replace() => End(TftpOutcome.AbortedByClient, "the client started another transfer from the same port");

    private TftpIgnoreReason? OnAcknowledgement(ushort number, long now)
    {
        // The wire has 16 bits: how far ahead of the last acknowledged block is this one?
        var ahead = (ushort)(number - (ushort)_acknowledged);
        if (ahead == 0)
            return OnDuplicate(now);
        if (ahead >= _next - _acknowledged)
            return TftpIgnoreReason.AckOutOfWindow;

        _acknowledged += ahead;
        _answeredDuplicate = false;
        _timer.Progress();
        if (_acknowledged == _probe)
            _timer.Measured(now - _windowSent);
        if (_acknowledged == _lastBlock)
        {
            End(TftpOutcome.Completed, null);
            return null;
        }
        // RFC 7440 §4: an ACK below the end of the window says which block is missing next.
        _next = _acknowledged + 1;
        SendWindow(now);
        return null;
    }

    /// <summary>
    /// Without a window a repeated ACK is never answered, or every later packet would go out twice (the Sorcerer's
    /// Apprentice, RFC 1123 §4.2.3.1); the timer repairs the loss. With a window it is how a client says that the first
    /// block of the window is missing: answered once, because every further block it gets makes it say so again, and not
    /// before the window can have reached it: many clients also acknowledge a repeated block again, and answering that
    /// would send each window twice from then on.
    /// </summary>
    private TftpIgnoreReason? OnDuplicate(long now)
    {
        if (_agreement.WindowSize == 1 || _answeredDuplicate || now - _windowSent < _timer.RoundTrip / 2)
            return TftpIgnoreReason.DuplicateAck;
        _answeredDuplicate = true;
        Rewind(now);
        return TftpIgnoreReason.DuplicateAck;
    }

    private void Rewind(long now)
    {
        _next = _acknowledged + 1;
        SendWindow(now);
    }

    private void SendWindow(long now)
    {
        var end = _next == 0 ? 0 : Math.Min(_acknowledged + _agreement.WindowSize, _lastBlock);
        // A round trip is measured by the last block of a window, if that goes out for the first time.
        _probe = end > _furthest ? end : NoProbe;
        _windowSent = now;
        if (_next == 0)
        {
            CountRepeated(0);
            _wire.Send(_oack);
            _next = 1;
        }
        for (; _next <= end && Outcome is null; _next++)
            SendBlock(_next);
        Deadline = now + _timer.Wait;
    }

    private void SendBlock(long block)
    {
        var offset = (block - 1) * _agreement.BlockSize;
        var count = (int)Math.Min(_agreement.BlockSize, _content.Length - offset);
        if (!_file.TryRead(offset, _packet.AsSpan(TftpPackets.HeaderLength, count)))
        {
            _wire.Send(TftpPackets.Error(TftpErrorCode.Undefined, "the file cannot be read to its end"));
            End(TftpOutcome.ReadFailed, $"the file ended before {offset + count} of {_content.Length} bytes");
            return;
        }
        CountRepeated(block);
        TftpPackets.WriteDataHeader(_packet, block);
        _wire.Send(_packet.AsSpan(0, TftpPackets.HeaderLength + count));
    }

    private void CountRepeated(long block)
    {
        if (block <= _furthest)
            Retransmitted++;
        else
            _furthest = block;
    }

    private void End(TftpOutcome outcome, string? detail)
    {
        Outcome ??= outcome;
        Detail ??= detail;
    }

    private static string Describe(ReadOnlySpan<byte> error)
    {
        var code = BinaryPrimitives.ReadUInt16BigEndian(error[2..]);
        var text = new StringBuilder($"error {code}: ");
        foreach (var b in error[TftpPackets.HeaderLength..Math.Min(error.Length, 128)])
        {
            if (b == 0)
                break;
            text.Append(b is >= 0x20 and < 0x7f ? (char)b : '.');
        }
        return text.ToString();
    }

    public void Dispose() => _content.Dispose();
}
