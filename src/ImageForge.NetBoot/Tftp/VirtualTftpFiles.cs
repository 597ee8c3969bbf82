using System.Collections.Concurrent;
using System.Net;

namespace ImageForge.NetBoot.Tftp;

/// <summary>Files that the server renders, such as <c>boot.ipxe</c>, in front of those of <paramref name="next"/>.</summary>
public sealed class VirtualTftpFiles(ITftpFiles? next = null) : ITftpFiles
{
    private readonly ConcurrentDictionary<string, Func<IPEndPoint, byte[]>> _files = new(StringComparer.Ordinal);

    /// <param name="path">Without leading <c>/</c>.</param>
    /// <param name="render">Called for every request, on the transfer loop: must not block.</param>
    public void Set(string path, Func<IPEndPoint, byte[]> render) => _files[path] = render;

    public TftpOpening Open(string path, IPEndPoint client) =>
        _files.TryGetValue(path, out var render) ? new TftpOpened(new MemoryContent(render(client)))
        : next is not null ? next.Open(path, client)
        : new TftpRefused(TftpErrorCode.FileNotFound, "file not found");

    private sealed class MemoryContent(byte[] bytes) : TftpContent
    {
        public override long Length => bytes.Length;

        public override int Read(long offset, Span<byte> destination)
        {
            if (offset >= bytes.Length)
                return 0;
            var piece = bytes.AsSpan((int)offset, (int)Math.Min(destination.Length, bytes.Length - offset));
            piece.CopyTo(destination);
            return piece.Length;
        }
    }
}
