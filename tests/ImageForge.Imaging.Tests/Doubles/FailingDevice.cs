using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Tests.Doubles;

/// <summary>Passes everything on until a rule says which error number to fail with.</summary>
internal sealed class FailingDevice(IBlockDevice inner) : IBlockDevice
{
    /// <summary>Offset and length of a read; 0: let it pass.</summary>
    public Func<long, long, int> ReadRule { get; set; } = (_, _) => 0;

    public Func<long, long, int> WriteRule { get; set; } = (_, _) => 0;

    public Func<int> FlushRule { get; set; } = () => 0;

    /// <summary>Damages what a read returns, after the fact: a disk that lies.</summary>
    public Action<long, Memory<byte>>? Lie { get; set; }

    public int Writes { get; private set; }

    public string Name => "/dev/failing";
    public long SizeBytes => inner.SizeBytes;
    public int SectorSize => inner.SectorSize;
    public bool IsReadOnly => inner.IsReadOnly;

    public void Read(long offset, Span<byte> buffer)
    {
        Fail("read", offset, ReadRule(offset, buffer.Length));
        inner.Read(offset, buffer);
        if (Lie is null)
            return;
        var copy = buffer.ToArray();
        Lie(offset, copy);
        copy.CopyTo(buffer);
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        Writes++;
        Fail("write", offset, WriteRule(offset, data.Length));
        inner.Write(offset, data);
    }

    public void WriteZeros(long offset, long length)
    {
        Writes++;
        Fail("write", offset, WriteRule(offset, length));
        inner.WriteZeros(offset, length);
    }

    public void Flush()
    {
        Fail("flush", 0, FlushRule());
        inner.Flush();
    }

    public void Dispose() { }

    private void Fail(string operation, long offset, int errno)
    {
        if (errno != 0)
            throw new DiskException(Name, operation, offset, errno, $"error {errno}");
    }
}
