namespace ImageForge.NetBoot.Tftp;

/// <summary>
/// A text file in netascii (RFC 764, as RFC 1350 §1 wants it): LF becomes CR LF, CR becomes CR NUL. Converted in memory
/// at once, because tsize must be the converted length; only for files up to <see cref="LongestFile"/>.
/// </summary>
internal sealed class NetasciiContent(byte[] converted) : TftpContent
{
    public const int LongestFile = 1024 * 1024;

    public override long Length => converted.Length;

    public override int Read(long offset, Span<byte> destination)
    {
        var piece = converted.AsSpan((int)Math.Min(offset, converted.Length));
        piece = piece[..Math.Min(piece.Length, destination.Length)];
        piece.CopyTo(destination);
        return piece.Length;
    }

    /// <summary>Takes over and closes <paramref name="content"/>.</summary>
    public static TftpOpening Convert(TftpContent content)
    {
        using (content)
        {
            if (content.Length > LongestFile)
                return new TftpRefused(TftpErrorCode.IllegalOperation, "netascii is for text up to 1 MiB, use octet (binary) mode");
            var plain = new byte[content.Length];
            if (content.Read(0, plain) != plain.Length)
                return new TftpRefused(TftpErrorCode.Undefined, "the file cannot be read");
            var converted = new List<byte>(plain.Length + 64);
            foreach (var b in plain)
            {
                if (b == '\n')
                    converted.Add((byte)'\r');
                converted.Add(b);
                if (b == '\r')
                    converted.Add(0);
            }
            return new TftpOpened(new NetasciiContent([.. converted]));
        }
    }
}
