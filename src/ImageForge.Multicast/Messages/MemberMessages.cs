namespace ImageForge.Multicast.Messages;

/// <summary>
/// What one WebSocket message of a member holds, read before anything that is shared is locked: whoever fills one with messages is found out
/// before they cost the others anything.
/// </summary>
/// <param name="chunks">Chunks of the session.</param>
internal sealed class MemberMessages(int chunks)
{
    /// <summary>A report and a request for each open block, many times over.</summary>
    public const int Most = 256;

    private readonly List<ControlMessage> _read = [];

    /// <summary>In their order, until the next call.</summary>
    public IReadOnlyList<ControlMessage> Read => _read;

    public bool HasLack { get; private set; }

    /// <summary>After the last of them came something that is not of the protocol.</summary>
    public bool Bad { get; private set; }

    /// <summary>False: it holds more than a member ever has to say at once, or another join.</summary>
    public bool TryRead(ReadOnlySpan<byte> bytes)
    {
        _read.Clear();
        HasLack = false;
        var reader = new MessageReader(bytes, chunks);
        while (reader.NextOfMember() is { } message)
        {
            if (_read.Count >= Most || message is JoinMessage || (message is LackMessage && HasLack))
                return false;
            HasLack |= message is LackMessage;
            _read.Add(message);
        }
        Bad = reader.Bad;
        return true;
    }
}
