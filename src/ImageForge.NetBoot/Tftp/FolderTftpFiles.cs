using System.Net;

namespace ImageForge.NetBoot.Tftp;

/// <summary>The regular files below a folder; nothing that leads out of it, by whatever name.</summary>
public sealed class FolderTftpFiles(string root) : ITftpFiles
{
    public TftpOpening Open(string path, IPEndPoint client) => throw new NotImplementedException(root);
}
