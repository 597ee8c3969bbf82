using System.Globalization;
using System.Text;

namespace ImageForge.NetDoctor.Ports;

/// <param name="IsImageForge">It is a server of ours.</param>
internal sealed record SocketOwner(int Process, string Program, bool IsImageForge);

/// <summary>Which process holds a socket: the links below /proc/*/fd say <c>socket:[inode]</c>. Other users' processes show theirs only to root.</summary>
internal static class SocketOwners
{
    private const string ServerProgram = "ImageForge.Server";

    public static IReadOnlyDictionary<long, SocketOwner> Find(IReadOnlySet<long> inodes, int? serverProcess, string proc = "/proc")
    {
        var owners = new Dictionary<long, SocketOwner>();
        foreach (var folder in Directory.EnumerateDirectories(proc))
        {
            if (owners.Count == inodes.Count)
                break;
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var process))
                Look(folder, process);
        }
        return owners;

        void Look(string folder, int process)
        {
            try
            {
                foreach (var descriptor in Directory.EnumerateFileSystemEntries(Path.Combine(folder, "fd")))
                {
                    // A link to nothing on disk: FileInfo reads where it points, and does not follow.
                    if (new FileInfo(descriptor).LinkTarget is { } target && target.StartsWith("socket:[", StringComparison.Ordinal)
                        && long.TryParse(target.AsSpan(8).TrimEnd(']'), CultureInfo.InvariantCulture, out var inode) && inodes.Contains(inode))
                        owners.TryAdd(inode, Describe(folder, process));
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended meanwhile, or is another user's.
            }
        }

        SocketOwner Describe(string folder, int process)
        {
            var command = File.ReadAllText(Path.Combine(folder, "cmdline"), Encoding.UTF8).Split('\0', StringSplitOptions.RemoveEmptyEntries);
            var ours = serverProcess == process || command.Any(static word => Path.GetFileNameWithoutExtension(word) == ServerProgram);
            var name = ours ? "ImageForge" : command.Length > 0 ? Path.GetFileName(command[0]) : File.ReadAllText(Path.Combine(folder, "comm")).Trim();
            return new SocketOwner(process, string.Concat(name.Take(40).Select(static c => char.IsControl(c) ? '?' : c)), ours);
        }
    }
}
