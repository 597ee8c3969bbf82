namespace ImageForge.Lab.Disks;

/// <summary>Raw disk and partition images as sparse files.</summary>
public static class RawImage
{
    private const int Block = 1 << 16;

    /// <summary>An empty disk: reads as zeros, takes no space.</summary>
    public static string CreateBlank(string path, long bytes)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write);
        file.SetLength(bytes);
        return path;
    }

    /// <summary>A disk that was used before: every block holds old data, so nothing may rely on zeros being there.</summary>
    public static string CreateUsed(string path, long bytes, int seed)
    {
        var block = new byte[1 << 20];
        new Random(seed).NextBytes(block);
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write);
        for (long offset = 0; offset < bytes; offset += block.Length)
            file.Write(block, 0, (int)Math.Min(block.Length, bytes - offset));
        return path;
    }

    /// <summary>Copies a range and leaves holes where there are only zeros.</summary>
    public static void Copy(string from, long fromOffset, long bytes, string to, long toOffset)
    {
        using var source = File.OpenHandle(from);
        using var target = File.OpenHandle(to, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        if (RandomAccess.GetLength(target) < toOffset + bytes)
            RandomAccess.SetLength(target, toOffset + bytes);
        var buffer = new byte[Block];
        for (long done = 0; done < bytes;)
        {
            var count = RandomAccess.Read(source, buffer.AsSpan(0, (int)Math.Min(Block, bytes - done)), fromOffset + done);
            if (count == 0)
                break;
            if (buffer.AsSpan(0, count).ContainsAnyExcept((byte)0))
                RandomAccess.Write(target, buffer.AsSpan(0, count), toOffset + done);
            done += count;
        }
    }

    /// <summary>Whether the bytes occur anywhere in the file.</summary>
    public static bool Contains(string path, ReadOnlySpan<byte> wanted)
    {
        using var file = File.OpenHandle(path);
        var buffer = new byte[1 << 20];
        for (long offset = 0; ;)
        {
            var count = RandomAccess.Read(file, buffer, offset);
            if (buffer.AsSpan(0, count).IndexOf(wanted) >= 0)
                return true;
            if (count < buffer.Length)
                return false;
            offset += count - wanted.Length;
        }
    }
}
