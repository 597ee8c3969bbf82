using System.Net;

namespace ImageForge.NetBoot.Tftp;

/// <summary>What can be read over TFTP. Called on the transfer loop: must not block for long. May be called from several threads.</summary>
public interface ITftpFiles
{
    /// <param name="path">Already normalised: <c>/</c> between names, no leading <c>/</c>, no empty, <c>.</c> or <c>..</c> names, no NUL.</param>
    TftpOpening Open(string path, IPEndPoint client);
}

/// <summary><see cref="TftpOpened"/> or <see cref="TftpRefused"/>.</summary>
public abstract record TftpOpening;

public sealed record TftpOpened(TftpContent Content) : TftpOpening;

/// <param name="Code">The error code on the wire.</param>
/// <param name="Message">The words on the client's screen and in the log.</param>
public sealed record TftpRefused(TftpErrorCode Code, string Message) : TftpOpening;

/// <summary>One opened file. Its length must not change while it is open.</summary>
public abstract class TftpContent : IDisposable
{
    /// <summary>Bytes in all.</summary>
    public abstract long Length { get; }

    /// <summary>Fills <paramref name="destination"/> from <paramref name="offset"/>; less only at the end of the file.</summary>
    /// <exception cref="IOException">The file cannot be read; the transfer ends with error 0.</exception>
    public abstract int Read(long offset, Span<byte> destination);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) { }
}
