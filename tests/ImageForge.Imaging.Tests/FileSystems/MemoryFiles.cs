using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>pagefile.sys and its like on a real NTFS, with content that is found again wherever it lies.</summary>
internal static class MemoryFiles
{
    public const int Cell = 512;
    private const ulong Mark = 0x5345_4352_4554_2121;

    /// <summary>Random bytes; every 512 of them begin with a mark that says which file they belong to.</summary>
    public static byte[] Content(int seed, int bytes, byte[]? header = null)
    {
        var content = new byte[bytes];
        new Random(seed).NextBytes(content);
        for (var at = 0; at + 16 <= bytes; at += Cell)
        {
            BitConverter.TryWriteBytes(content.AsSpan(at), Mark);
            BitConverter.TryWriteBytes(content.AsSpan(at + 8), seed);
        }
        header?.CopyTo(content, 0);
        return content;
    }

    /// <summary>Whether these 512 bytes are of a file made by <see cref="Content"/>.</summary>
    public static bool IsMarked(ReadOnlySpan<byte> cell) => BitConverter.ToUInt64(cell) == Mark;

    /// <summary>Writes two files in turns, so that both are in pieces.</summary>
    public static void WriteInTurns(string a, byte[] contentA, string b, byte[] contentB, int step)
    {
        using var first = File.OpenHandle(a, FileMode.Create, FileAccess.Write);
        using var second = File.OpenHandle(b, FileMode.Create, FileAccess.Write);
        for (var at = 0; at < Math.Max(contentA.Length, contentB.Length); at += step)
        {
            if (at < contentA.Length)
                RandomAccess.Write(first, contentA.AsSpan(at, Math.Min(step, contentA.Length - at)), at);
            if (at < contentB.Length)
                RandomAccess.Write(second, contentB.AsSpan(at, Math.Min(step, contentB.Length - at)), at);
        }
    }

    /// <summary>Fills the volume with small files, deletes half of them and writes the file into the holes that leaves.</summary>
    public static void WriteIntoHoles(string root, string name, byte[] content)
    {
        var (random, made) = (new Random(1), 0);
        try
        {
            for (; ; made++)
                File.WriteAllBytes(Path.Combine(root, $"f{made}"), new byte[900]);
        }
        catch (IOException)
        {
            // Full, as it should be.
        }
        for (var i = 0; i < made; i++)
            if (random.Next(2) == 0)
                File.Delete(Path.Combine(root, $"f{i}"));
        File.WriteAllBytes(Path.Combine(root, name), content);
    }

    /// <summary>By content alone: every block with a marked cell is skipped, and no other but the slack of <paramref name="files"/> files and a header.</summary>
    public static void AssertSkipsExactlyTheMarked(byte[] image, VolumeContent ours, int slackBlocks)
    {
        Assert.NotNull(ours.Skipped);
        var others = 0;
        for (long block = 0; block < ours.Skipped.BlockCount; block++)
        {
            var bytes = image.AsSpan((int)(block * ours.BlockSize), (int)Math.Min(ours.BlockSize, image.Length - block * ours.BlockSize));
            var marked = false;
            for (var at = 0; at + Cell <= bytes.Length && !marked; at += Cell)
                marked = IsMarked(bytes[at..]);
            Assert.False(marked && !ours.Skipped[block], $"block {block} holds what should be skipped");
            Assert.False(ours.Skipped[block] && !ours.Used[block], $"block {block} is skipped and not used");
            others += ours.Skipped[block] && !marked ? 1 : 0;
        }
        Assert.InRange(others, 0, slackBlocks);
    }
}
