using System.Buffers.Binary;
using ImageForge.Multicast.Blocks;
using ImageForge.Multicast.Frames;
using ImageForge.Multicast.Packets;
using Xunit.Abstractions;

namespace ImageForge.Multicast.Tests.Fuzzing;

/// <summary>
/// Bytes from strangers, and packets from somebody who knows the key. The seed is printed; <c>IMAGEFORGE_FUZZ_SEED</c> repeats a case and
/// <c>IMAGEFORGE_FUZZ_FACTOR</c> makes a run longer.
/// </summary>
public sealed class PacketFuzzTests(ITestOutputHelper output)
{
    private const int F = 64;
    private const uint Tag = 0x01020304;

    private static readonly uint[] s_interesting = [0, 1, 2, 191, 192, 193, 255, 256, 0x7FFF, 0xFFFF, 1 << 20, BlockShape.LargestBlock, BlockShape.LargestBlock + 1, int.MaxValue, 0x80000000, uint.MaxValue];

    [Fact]
    public void Headers_that_are_read_name_a_place_that_exists() => Fuzz(60_000, random =>
    {
        var packet = new byte[random.Next(8) == 0 ? random.Next(0, 200) : PacketHeader.Overhead + F];
        if (random.Next(4) == 0)
            random.NextBytes(packet);
        if (packet.Length >= PacketHeader.Size && random.Next(10) > 0)
        {
            // Nearly right more often than not.
            uint Near(int count) => random.Next(6) == 0 ? Some(random) : (uint)random.Next(count + 1);
            var length = random.Next(6) == 0 ? Some(random) : (uint)random.Next(1, 40_000);
            var near = new BlockShape((int)Math.Clamp(length, 1, BlockShape.LargestBlock), F);
            var group = Near(near.Groups);
            new PacketHeader((PacketKind)random.Next(1, 4), Tag, (ulong)random.NextInt64(1L << random.Next(8, 34)), Some(random), (int)length, (int)group,
                (int)Near(near.GroupSize((int)Math.Min(group, near.Groups - 1)))).Write(packet);
        }
        if (packet.Length > 0 && random.Next(3) == 0)
            packet[random.Next(Math.Min(packet.Length, PacketHeader.Size))] ^= (byte)(1 << random.Next(8));
        if (!PacketHeader.TryRead(packet, Tag, F, out var header))
            return "no";
        Assert.InRange(header.Sequence, 1UL, PacketHeader.SequenceEnd - 1);
        if (header.Kind is PacketKind.Announcement)
            return "announcement";
        Assert.InRange(header.Length, 1, BlockShape.LargestBlock);
        var shape = new BlockShape(header.Length, F);
        Assert.InRange(header.Group, 0, shape.Groups - 1);
        Assert.InRange(header.Index, 0, (header.Kind is PacketKind.Fragment ? shape.GroupSize(header.Group) : BlockShape.MaxRows) - 1);
        if (header.Kind is PacketKind.Fragment)
            Assert.InRange(shape.FragmentAt(header.Group, header.Index), 0, shape.Fragments - 1);
        var again = packet.ToArray();
        header.Write(again);
        Assert.Equal(packet, again);
        return header.Kind.ToString();
    });

    [Fact]
    public void Tables_that_are_read_add_up() => Fuzz(40_000, random =>
    {
        var content = new SessionContent([.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => random.Next(1, 300))]);
        var frames = Enumerable.Range(0, random.Next(1, 6)).Select(_ => new BlockFrame(random.Next(content.Chunks), 0, random.Next(1, 200))).ToArray();
        var block = new byte[BlockTable.Size(frames.Length) + Math.Max(0, frames.Sum(frame => frame.Length) + (random.Next(6) == 0 ? random.Next(-3, 4) : 0))];
        random.NextBytes(block);
        BlockTable.Write(block, frames);
        for (var changes = random.Next(3); changes > 0; changes--)
            if (random.Next(2) == 0)
                BinaryPrimitives.WriteUInt32BigEndian(block.AsSpan(2 + (random.Next(frames.Length * 2) * 4)), Some(random));
            else
                block[random.Next(Math.Min(block.Length, BlockTable.Size(frames.Length)))] ^= (byte)(1 << random.Next(8));
        if (random.Next(30) == 0)
            block = block[..random.Next(block.Length)];
        if (BlockTable.TryRead(block, content) is not { } read)
            return "refused";
        var end = BlockTable.Size(read.Count);
        foreach (var frame in read)
        {
            Assert.InRange(frame.Chunk, 0, content.Chunks - 1);
            Assert.InRange(frame.Length, 1, content.LongestFrame(frame.Chunk));
            Assert.Equal(end, frame.Offset);
            end += frame.Length;
        }
        Assert.Equal(block.Length, end);
        return "read";
    });

    /// <summary>Genuine seals around anything: what the header lets pass never leaves the block's memory, and never more memory than allowed is taken.</summary>
    [Fact]
    public void Hostile_packets_with_the_right_key_harm_nothing_but_their_block() => Fuzz(3_000, random =>
    {
        byte[] key = new byte[16], salt = new byte[4];
        random.NextBytes(key);
        using var sender = PacketSeal.Create(key, salt, F);
        using var receiver = PacketSeal.Create(key, salt, F);
        var content = new SessionContent([.. Enumerable.Range(0, 5).Select(_ => random.Next(1, 3000))]);
        var buffers = new BlockBuffers(random.Next(1, 5) * (128 << 10));
        var length = random.Next(1, 6000);
        BlockAssembly? assembly = null;
        var outcome = "open";
        for (var (sequence, packets) = (1UL, random.Next(1, 400)); packets > 0; packets--, sequence++)
        {
            var packet = new byte[PacketHeader.Overhead + F];
            random.NextBytes(packet);
            var shape = new BlockShape(length, F);
            var kind = random.Next(12) switch { 0 => PacketKind.Announcement, < 4 => PacketKind.Parity, _ => PacketKind.Fragment };
            var group = random.Next(shape.Groups + (random.Next(20) == 0 ? 2 : 0));
            var index = kind is PacketKind.Parity ? random.Next(70) : random.Next(BlockShape.MaxGroup) % (shape.GroupSize(Math.Min(group, shape.Groups - 1)) + 1);
            new PacketHeader(kind, Tag, sequence, random.Next(15) == 0 ? Some(random) : 0, random.Next(15) == 0 ? (int)Some(random) : length, group, index).Write(packet);
            // A table that may be right, in the first fragment.
            if (kind is PacketKind.Fragment && group == 0 && index == 0 && length > 10 && random.Next(2) == 0)
                BlockTable.Write(packet.AsSpan(PacketHeader.Size), [new BlockFrame(random.Next(6), 0, length - 10)]);
            sender.Seal(packet);
            if (!PacketHeader.TryRead(packet, Tag, F, out var header) || !receiver.Open(packet) || header.Kind is PacketKind.Announcement)
                continue;
            assembly ??= BlockAssembly.TryBegin(buffers, header, F);
            if (assembly is null)
            {
                outcome = "no memory";
                continue;
            }
            var taken = assembly.Take(header, packet.AsSpan(PacketHeader.Size, F));
            Assert.Equal(taken is Taken.Refused, header.Block != assembly.Number || header.Length != assembly.Shape.Length);
            Assert.InRange(buffers.Used, 1, buffers.Capacity);
            if (assembly.IsWhole)
            {
                outcome = assembly.ReadTable(content) is { } frames ? frames.All(frame => assembly.Frame(frame).Length == frame.Length) ? "whole" : "wrong" : "whole, refused";
                break;
            }
        }
        assembly?.Dispose();
        Assert.Equal(0, buffers.Used);
        return outcome;
    });

    private static uint Some(Random random) => random.Next(3) == 0 ? s_interesting[random.Next(s_interesting.Length)] : (uint)random.Next(random.Next(3) switch { 0 => 300, 1 => 20_000, _ => 1 << 24 });

    private void Fuzz(int cases, Func<Random, string> attempt)
    {
        static int Number(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value : otherwise;
        var seed = Number("IMAGEFORGE_FUZZ_SEED", Random.Shared.Next());
        cases *= Number("IMAGEFORGE_FUZZ_FACTOR", 1);
        var outcomes = new SortedDictionary<string, int>();
        for (var i = 0; i < cases; i++)
        {
            try
            {
                var outcome = attempt(new Random(unchecked(seed + i)));
                outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"case {i} of seed {seed} (IMAGEFORGE_FUZZ_SEED={unchecked(seed + i)}): {error.GetType().Name}: {error.Message}", error);
            }
        }
        output.WriteLine($"seed {seed}, {cases} cases: {string.Join(", ", outcomes.Select(pair => $"{pair.Key} {pair.Value}"))}");
        // A fuzzer that reaches one outcome only tests nothing.
        Assert.True(outcomes.Count > 1);
    }
}
