using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using ImageForge.Contracts;
using ImageForge.Imaging.DiskFiles;

namespace ImageForge.Imaging.Nbd;

/// <summary>
/// A <c>qemu-nbd</c> of our own that serves one file over a socket nobody else can reach, for one client, and ends with it. The file
/// is never given to a kernel driver, so a hostile one meets only an unprivileged format driver of QEMU and our protocol reader.
/// </summary>
internal sealed class QemuNbd : IDisposable
{
    private static readonly TimeSpan s_startPatience = TimeSpan.FromSeconds(20), s_endPatience = TimeSpan.FromSeconds(120);

    private readonly Process _process;
    private readonly string _folder;
    private readonly Task<string> _errors;

    private QemuNbd(string path, DiskFileFormat format, bool readOnly)
    {
        _folder = Directory.CreateTempSubdirectory("imageforge-nbd-").FullName;
        // A name without a scheme or an option of QEMU's in it: the full path begins with a slash.
        var start = new ProcessStartInfo("qemu-nbd")
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            ArgumentList = { "--socket", SocketPath, "--format", DiskFileFormats.QemuName(format), "--discard=unmap", "--detect-zeroes=unmap" },
        };
        if (readOnly)
            start.ArgumentList.Add("--read-only");
        start.ArgumentList.Add("--");
        start.ArgumentList.Add(Path.GetFullPath(path));
        try
        {
            _process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            Directory.Delete(_folder, recursive: true);
            throw QemuTools.Missing("qemu-nbd", e);
        }
        _process.StandardInput.Close();
        _errors = _process.StandardError.ReadToEndAsync();
        _ = _process.StandardOutput.ReadToEndAsync();
    }

    private string SocketPath => Path.Combine(_folder, "s");

    /// <exception cref="FailureException"><c>qemuMissing</c>, <c>diskFileUnreadable</c>.</exception>
    public static NbdDevice Open(string path, DiskFileFormat format, int sectorSize, bool readOnly)
    {
        var server = new QemuNbd(path, format, readOnly);
        Stream stream;
        try
        {
            stream = server.Connect(path);
        }
        catch
        {
            server.Dispose();
            throw;
        }
        return new NbdDevice(stream, path, sectorSize, readOnly, server);
    }

    /// <summary>Waits until the server has written its own tables: a target is whole only then.</summary>
    public void Dispose()
    {
        if (!_process.WaitForExit(s_endPatience))
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private NetworkStream Connect(string path)
    {
        var started = Stopwatch.GetTimestamp();
        using var pause = new ManualResetEventSlim();
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Connect(new UnixDomainSocketEndPoint(SocketPath));
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                if (_process.HasExited)
                    throw new FailureException("diskFileUnreadable", Fault.Disk, $"{path} cannot be opened: {QemuTools.Said(_errors)}", "Check the file with `qemu-img check`, and that no virtual machine uses it.", e);
                if (Stopwatch.GetElapsedTime(started) > s_startPatience)
                {
                    _process.Kill();
                    throw new FailureException("diskFileUnreadable", Fault.Disk, $"{path} cannot be opened: qemu-nbd does not answer.", "Try `qemu-nbd` on the file by hand.", e);
                }
            }
            pause.Wait(TimeSpan.FromMilliseconds(20));
        }
    }
}
