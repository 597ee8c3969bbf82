using System.Net;
using System.Runtime.InteropServices;
using ImageForge.NetBoot.Sockets;
using Microsoft.Win32.SafeHandles;

namespace ImageForge.NetBoot.Tftp;

/// <summary>
/// The regular files below a folder; nothing that leads out of it, by whatever name. The kernel itself keeps the walk
/// below the folder (openat2, RESOLVE_BENEATH), so neither a symbolic link nor one swapped in at the last moment leaves
/// it, and no path is ever compared as text. A link that stays inside is followed.
/// </summary>
public sealed unsafe class FolderTftpFiles : ITftpFiles, IDisposable
{
    // openat2(2), open(2), statx(2) on Linux; the numbers are the same on x86-64 and arm64, but for the three O_ flags below.
    private const nint OpenAt2Call = 437;
    private const int NonBlocking = 0x800, CloseOnExec = 0x80000, PathOnly = 0x200000;
    private static readonly bool Arm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
    private static readonly int FolderOnly = Arm ? 0x4000 : 0x10000, NoFollow = Arm ? 0x8000 : 0x20000;
    private const ulong ResolveBeneath = 0x08, ResolveNoMagicLinks = 0x02;
    private const int EmptyPath = 0x1000;
    private const uint WantTypeAndSize = 0x201;
    private const int TypeMask = 0xF000, RegularFile = 0x8000;

    private readonly SafeFileHandle _root;
    private readonly bool _hasOpenAt2;

    /// <exception cref="DirectoryNotFoundException">The folder is not there or not a folder.</exception>
    public FolderTftpFiles(string root) : this(root, useOpenAt2: true) { }

    internal FolderTftpFiles(string root, bool useOpenAt2)
    {
        var fd = Libc.Open(root, PathOnly | FolderOnly | CloseOnExec);
        if (fd < 0)
            throw new DirectoryNotFoundException($"the TFTP folder {root} cannot be opened: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastSystemError())}");
        _root = new SafeFileHandle(fd, ownsHandle: true);
        // Kernels before 5.6 and some container filters do not have it.
        _hasOpenAt2 = useOpenAt2 && OpenBeneath(".", FolderOnly | PathOnly, out var probe) == 0 && Libc.Close(probe) == 0;
    }

    public TftpOpening Open(string path, IPEndPoint client)
    {
        var error = _hasOpenAt2 ? OpenBeneath(path, NonBlocking, out var fd) : OpenWithoutLinks(path, out fd);
        if (error != 0)
        {
            return error switch
            {
                Libc.NoEntry or Libc.NotDirectory => new TftpRefused(TftpErrorCode.FileNotFound, "file not found"),
                Libc.CrossDevice or Libc.TooManyLinks => new TftpRefused(TftpErrorCode.AccessViolation, "this link leads out of the TFTP folder"),
                _ => new TftpRefused(TftpErrorCode.AccessViolation, Marshal.GetPInvokeErrorMessage(error)),
            };
        }
        var handle = new SafeFileHandle(fd, ownsHandle: true);
        if (!TryGetLength(fd, out var length))
        {
            handle.Dispose();
            return new TftpRefused(TftpErrorCode.AccessViolation, "not a regular file");
        }
        return new TftpOpened(new FileContent(handle, length));
    }

    /// <returns>0, or errno: EXDEV when the path leaves the folder.</returns>
    private int OpenBeneath(string path, int flags, out int fd)
    {
        var how = new OpenHow { Flags = (uint)(flags | CloseOnExec), Resolve = ResolveBeneath | ResolveNoMagicLinks };
        fd = (int)Libc.OpenAt2(OpenAt2Call, _root.DangerousGetHandle(), path, &how, sizeof(OpenHow));
        return fd < 0 ? Marshal.GetLastSystemError() : 0;
    }

    /// <summary>One name at a time, refusing every symbolic link: stricter, but needs nothing new.</summary>
    private int OpenWithoutLinks(string path, out int fd)
    {
        fd = (int)_root.DangerousGetHandle();
        var names = path.Split('/');
        for (var i = 0; i < names.Length; i++)
        {
            var last = i == names.Length - 1;
            var next = names[i] is ".." or "." or "" ? -1
                : Libc.OpenAt(fd, names[i], NoFollow | CloseOnExec | NonBlocking | (last ? 0 : FolderOnly | PathOnly));
            var error = next < 0 ? Marshal.GetLastSystemError() : 0;
            if (i > 0)
                _ = Libc.Close(fd);
            fd = next;
            if (fd < 0)
                return error == 0 ? Libc.NoEntry : error;
        }
        return 0;
    }

    /// <summary>False for folders, devices, FIFOs and sockets. struct statx: mode at 28, size at 40.</summary>
    private static bool TryGetLength(int fd, out long length)
    {
        var status = stackalloc byte[256];
        length = 0;
        if (Libc.StatX(fd, "", EmptyPath, WantTypeAndSize, status) != 0 || (*(ushort*)(status + 28) & TypeMask) != RegularFile)
            return false;
        length = *(long*)(status + 40);
        return true;
    }

    private sealed class FileContent(SafeFileHandle handle, long length) : TftpContent
    {
        public override long Length => length;

        public override int Read(long offset, Span<byte> destination)
        {
            var total = 0;
            while (total < destination.Length)
            {
                var count = RandomAccess.Read(handle, destination[total..], offset + total);
                if (count == 0)
                    break;
                total += count;
            }
            return total;
        }

        protected override void Dispose(bool disposing)
        {
            handle.Dispose();
            base.Dispose(disposing);
        }
    }

    public void Dispose() => _root.Dispose();
}
