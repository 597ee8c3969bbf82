using System.Collections;
using ImageForge.Multicast.Frames;
using ImageForge.Multicast.Packets;
using ImageForge.Multicast.Parity;

namespace ImageForge.Multicast.Blocks;

/// <summary>What became of a packet.</summary>
public enum Taken
{
    /// <summary>It brought the block forward.</summary>
    New,

    /// <summary>It was here already, or its group is whole.</summary>
    Surplus,

    /// <summary>There is no memory for another parity row: to be asked for again.</summary>
    NoRoom,

    /// <summary>It does not belong to the block as it was begun. Only somebody with the key can make one.</summary>
    Refused,
}

/// <summary>
/// A block at a receiver. Takes verified fragments and parity rows in any order, any number of times; a group is whole as soon as it has as
/// many packets as fragments. Used by one thread at a time.
/// </summary>
public sealed class BlockAssembly : IDisposable
{
    /// <summary>Parity rows that memory is asked for at a time.</summary>
    private const int RowsAtATime = 64;

    private readonly BlockBuffers _buffers;
    private readonly BitArray _have;
    private readonly int[] _missing;
    private readonly List<Row>[] _rows;
    private readonly List<byte[]> _rowBuffers = [];
    private readonly Stack<int> _freeRows = new();
    private byte[]? _block;
    private int _rowsMade;
    private int _openGroups;

    private BlockAssembly(BlockBuffers buffers, byte[] block, uint number, BlockShape shape)
    {
        (_buffers, _block, Number, Shape) = (buffers, block, number, shape);
        _have = new BitArray(shape.Fragments);
        _missing = [.. Enumerable.Range(0, shape.Groups).Select(shape.GroupSize)];
        _rows = [.. _missing.Select(_ => new List<Row>())];
        _openGroups = shape.Groups;
    }

    private readonly record struct Row(int Number, int Slot);

    public uint Number { get; }

    public BlockShape Shape { get; }

    /// <summary>Every group is whole and decoded.</summary>
    public bool IsWhole => _openGroups == 0;

    /// <summary>Memory for the block of a packet's header; null: there is none.</summary>
    public static BlockAssembly? TryBegin(BlockBuffers buffers, in PacketHeader header, int fragmentBytes)
    {
        var shape = new BlockShape(header.Length, fragmentBytes);
        return buffers.TryRent(shape.Fragments * fragmentBytes) is { } block ? new BlockAssembly(buffers, block, header.Block, shape) : null;
    }

    /// <summary>Packets that the group lacks: any of its fragments that are missing, or parity rows it has not.</summary>
    public int Needed(int group) => _missing[group] == 0 ? 0 : _missing[group] - _rows[group].Count;

    /// <summary>Whether the group has this row already.</summary>
    public bool HasRow(int group, int row) => _rows[group].Exists(have => have.Number == row);

    /// <param name="header">Of a packet that verified, a fragment or a row, whose numbers <see cref="PacketHeader.TryRead"/> let pass.</param>
    public Taken Take(in PacketHeader header, ReadOnlySpan<byte> content)
    {
        if (header.Block != Number || header.Length != Shape.Length || header.Kind is PacketKind.Announcement || content.Length != Shape.FragmentBytes)
            return Taken.Refused;
        var group = header.Group;
        if (Needed(group) == 0)
            return Taken.Surplus;
        if (header.Kind is PacketKind.Fragment)
        {
            var fragment = Shape.FragmentAt(group, header.Index);
            if (_have[fragment])
                return Taken.Surplus;
            _have[fragment] = true;
            _missing[group]--;
            content.CopyTo(_block.AsSpan(fragment * Shape.FragmentBytes));
        }
        else
        {
            if (HasRow(group, header.Index))
                return Taken.Surplus;
            if (TakeSlot() is not { } slot)
                return Taken.NoRoom;
            content.CopyTo(RowBytes(slot));
            _rows[group].Add(new Row(header.Index, slot));
        }
        if (Needed(group) == 0)
            Complete(group);
        return Taken.New;
    }

    /// <summary>The frames of a whole block; null: its table is none, and somebody with the key made it.</summary>
    public IReadOnlyList<BlockFrame>? ReadTable(SessionContent content) =>
        IsWhole ? BlockTable.TryRead(_block.AsSpan(0, Shape.Length), content) : throw new InvalidOperationException($"block {Number} is not whole");

    /// <summary>The bytes of a frame, until the block is disposed.</summary>
    public ReadOnlyMemory<byte> Frame(in BlockFrame frame) => _block.AsMemory(frame.Offset, frame.Length);

    public void Dispose()
    {
        if (_block is null)
            return;
        _buffers.Return(_block);
        _block = null;
        ReturnRows();
    }

    private void Complete(int group)
    {
        if (_missing[group] > 0)
        {
            Decode(group);
            _missing[group] = 0;
        }
        foreach (var row in _rows[group])
            _freeRows.Push(row.Slot);
        _rows[group].Clear();
        if (--_openGroups == 0)
            ReturnRows();
    }

    private void Decode(int group)
    {
        var rows = _rows[group];
        Span<int> missing = stackalloc int[rows.Count], numbers = stackalloc int[rows.Count];
        var found = 0;
        for (var index = 0; found < rows.Count; index++)
            if (!_have[Shape.FragmentAt(group, index)])
                missing[found++] = index;
        // Rows of a group may lie in several buffers; the decoder wants them side by side.
        var parity = GC.AllocateUninitializedArray<byte>(rows.Count * Shape.FragmentBytes);
        for (var i = 0; i < rows.Count; i++)
        {
            numbers[i] = rows[i].Number;
            RowBytes(rows[i].Slot).CopyTo(parity.AsSpan(i * Shape.FragmentBytes));
        }
        CauchyCode.Decode(_block, Shape, group, missing, numbers, parity);
    }

    private int? TakeSlot()
    {
        if (_freeRows.TryPop(out var free))
            return free;
        if (_rowsMade == _rowBuffers.Count * RowsAtATime)
        {
            if (_buffers.TryRent(RowsAtATime * Shape.FragmentBytes) is not { } more)
                return null;
            _rowBuffers.Add(more);
        }
        return _rowsMade++;
    }

    private Span<byte> RowBytes(int slot) =>
        _rowBuffers[slot / RowsAtATime].AsSpan(slot % RowsAtATime * Shape.FragmentBytes, Shape.FragmentBytes);

    private void ReturnRows()
    {
        foreach (var buffer in _rowBuffers)
            _buffers.Return(buffer);
        _rowBuffers.Clear();
        _freeRows.Clear();
        _rowsMade = 0;
    }
}
