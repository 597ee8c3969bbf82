namespace ImageForge.Imaging.Capture;

/// <summary>
/// Chooses how hard to compress: harder while frames wait for the network (time that would be lost anyway saves bytes), less hard
/// while chunks wait for a processor. One step at a time, and not before what the last step did is seen.
/// </summary>
internal sealed class AdaptiveLevel(int lowest, int highest)
{
    private const int ChunksPerStep = 24;

    private readonly Lock _lock = new();
    private readonly int _lowest = lowest;
    private int _level = lowest, _seen, _votes;

    public int Level => Volatile.Read(ref _level);

    /// <param name="waitingToSend">Frames that no sender has taken yet.</param>
    /// <param name="senders">Frames that can be on their way at once.</param>
    /// <param name="waitingToCompress">Chunks that no compressor has taken yet.</param>
    public int Next(int waitingToSend, int senders, int waitingToCompress)
    {
        lock (_lock)
        {
            // A full round of frames behind those on their way: the network is what everybody waits for.
            _votes += waitingToSend >= senders ? 1 : waitingToSend == 0 && waitingToCompress > 0 ? -1 : 0;
            if (++_seen >= ChunksPerStep)
            {
                if (Math.Abs(_votes) > _seen / 2)
                    _level = Math.Clamp(_level + Math.Sign(_votes), _lowest, highest);
                (_seen, _votes) = (0, 0);
            }
            return _level;
        }
    }
}
