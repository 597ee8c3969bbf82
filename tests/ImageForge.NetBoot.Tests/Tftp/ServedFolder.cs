using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using ImageForge.NetBoot.Tftp;

namespace ImageForge.NetBoot.Tests.Tftp;

/// <summary>A TFTP server on loopback (or where it is started) with files of known content.</summary>
internal sealed class ServedFolder : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("if-nb-");
    private readonly FolderTftpFiles _files;

    /// <param name="options">Changes to short test timers.</param>
    public ServedFolder(Func<TftpServerOptions, TftpServerOptions>? options = null, IPAddress? address = null)
    {
        // One more block than the 16-bit number can count, at 512 bytes.
        foreach (var (name, length) in new[] { ("empty", 0), ("even", 4096), ("small", 100_001), ("rollover", 33_600_000) })
        {
            var bytes = new byte[length];
            new Random(length).NextBytes(bytes);
            Write(name, bytes);
        }
        Write("text", "one\ntwo\r\nthree\rfour\n"u8.ToArray());
        _files = new FolderTftpFiles(_folder.FullName);
        Virtual = new VirtualTftpFiles(_files);
        var defaults = new TftpServerOptions(address ?? IPAddress.Loopback, 0) { RetransmitAfter = TimeSpan.FromMilliseconds(500), MaxTransfersPerSource = 100 };
        Server = new TftpServer(options?.Invoke(defaults) ?? defaults, Virtual, TimeProvider.System, Reports.Enqueue);
    }

    public TftpServer Server { get; }
    public VirtualTftpFiles Virtual { get; }
    public ConcurrentQueue<TftpTransferReport> Reports { get; } = new();
    public int Port => Server.LocalEndPoint.Port;

    public void Write(string name, byte[] bytes) => File.WriteAllBytes(PathOf(name), bytes);
    public string PathOf(string name) => Path.Combine(_folder.FullName, name);
    public string Hash(string name) => HashOf(PathOf(name));
    public static string HashOf(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));

    /// <summary>A place for downloads, outside the served folder.</summary>
    public string Download(string name) => Path.Combine(Directory.CreateDirectory(_folder.FullName + "-in").FullName, name);

    /// <summary>Waits until a transfer was reported that fits.</summary>
    public async Task<TftpTransferReport> ReportAsync(Func<TftpTransferReport, bool> wanted)
    {
        for (var i = 0; i < 1000; i++)
        {
            if (Reports.FirstOrDefault(wanted) is { } report)
                return report;
            await Task.Delay(10);
        }
        throw new TimeoutException($"no such report within 10 s; there were:\n{string.Join('\n', Reports)}");
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _files.Dispose();
        _folder.Delete(recursive: true);
        if (Directory.Exists(_folder.FullName + "-in"))
            Directory.Delete(_folder.FullName + "-in", recursive: true);
    }
}
