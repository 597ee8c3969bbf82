using System.Numerics;

namespace ImageForge.Multicast.Receiving;

/// <summary>Which of the last sequences were here: what comes twice is a replay, and what is older than all of them counts as one.</summary>
internal sealed class SequenceWindow
{
    private const int Size = 1 << 14;

    private readonly ulong[] _seen = new ulong[Size / 64];

    public ulong First { get; private set; }

    public ulong Highest { get; private set; }

    /// <summary>Sequences that were here, each once.</summary>
    public ulong Count { get; private set; }

    /// <summary>Not seen yet, and young enough to tell. Changes nothing.</summary>
    public bool IsFresh(ulong sequence) =>
        sequence > Highest || (Highest - sequence < Size && (_seen[Word(sequence)] & Bit(sequence)) == 0);

    /// <summary>False: it was here, or is too old to tell.</summary>
    public bool Add(ulong sequence)
    {
        if (!IsFresh(sequence))
            return false;
        if (First == 0)
            (First, Highest) = (sequence, sequence - 1);
        First = Math.Min(First, sequence);
        if (sequence > Highest)
            Forget(Highest + 1, sequence);
        Highest = Math.Max(Highest, sequence);
        _seen[Word(sequence)] |= Bit(sequence);
        Count++;
        return true;
    }

    /// <summary>Between the first and the highest, those that were not here.</summary>
    public ulong Missed => Highest == 0 ? 0 : Highest - First + 1 - Count;

    public void Clear()
    {
        Array.Clear(_seen);
        (First, Highest, Count) = (0, 0, 0);
    }

    private void Forget(ulong from, ulong to)
    {
        if (to - from >= Size)
        {
            Array.Clear(_seen);
            return;
        }
        for (var sequence = from; sequence <= to; sequence++)
            _seen[Word(sequence)] &= ~Bit(sequence);
    }

    private static int Word(ulong sequence) => (int)((sequence % Size) / 64);

    private static ulong Bit(ulong sequence) => BitOperations.RotateLeft(1UL, (int)(sequence % 64));
}
