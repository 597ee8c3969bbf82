using System.Globalization;
using System.Text;
using ImageForge.Server.Data;

namespace ImageForge.Server.Agents;

/// <summary>The agents' own logs, <c>logs/tasks/‹task id›.log</c>, at most 1 MiB per task: what comes after that is dropped.</summary>
internal sealed class TaskLogs(DataFolder folder)
{
    public const int MaxMessage = 64 << 10;
    public const int MaxFile = 1 << 20;

    private readonly Lock _lock = new();

    public string PathOf(long taskId) => Path.Combine(Folder(), string.Create(CultureInfo.InvariantCulture, $"{taskId}.log"));

    public void Append(long taskId, ReadOnlySpan<byte> text)
    {
        lock (_lock)
        {
            using var file = new FileStream(PathOf(taskId), FileMode.Append, FileAccess.Write, FileShare.Read);
            var room = MaxFile - file.Length;
            if (room <= 0)
                return;
            var clean = Clean(text);
            if (clean.Length <= room)
            {
                file.Write(clean);
                return;
            }
            var end = "\n(the log of this task is full)\n"u8;
            file.Write(clean.AsSpan(0, (int)Math.Max(0, room - end.Length)));
            file.Write(end);
        }
    }

    /// <summary>Text that does no harm in a terminal: valid UTF-8 with no control characters but line ends and tabs.</summary>
    private static byte[] Clean(ReadOnlySpan<byte> text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var c in Encoding.UTF8.GetString(text))
        {
            if (c is '\n' or '\t' || !char.IsControl(c))
                clean.Append(c);
        }
        if (clean.Length > 0 && clean[^1] != '\n')
            clean.Append('\n');
        return Encoding.UTF8.GetBytes(clean.ToString());
    }

    private string Folder()
    {
        folder.Folder("logs");
        return folder.Folder("logs/tasks");
    }
}
