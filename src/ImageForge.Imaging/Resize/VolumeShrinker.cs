using System.Buffers.Binary;
using System.Globalization;
using System.Text.RegularExpressions;
using ImageForge.Contracts;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Resize;

/// <summary>Shrinks one file system in a file with its own resizer: resize2fs after a full check, or ntfsresize.</summary>
internal sealed partial class VolumeShrinker(FileSystemKind kind, string file)
{
    private bool IsNtfs => kind == FileSystemKind.Ntfs;

    /// <summary>Why a file system is not shrunk, as the end of a sentence; null: it is.</summary>
    public static string? Obstacle(FileSystemKind kind) => kind switch
    {
        FileSystemKind.Ext2 or FileSystemKind.Ext3 or FileSystemKind.Ext4 or FileSystemKind.Ntfs => null,
        FileSystemKind.Xfs => "XFS cannot be made smaller",
        FileSystemKind.Unknown => "its content is not known",
        _ => $"{kind} is not shrunk",
    };

    /// <summary>What the resizer says it needs, with some room: both estimate a little low. Checks (and for ext repairs) the file system first.</summary>
    public long MinimumBytes(CancellationToken cancel)
    {
        var minimum = IsNtfs ? NtfsMinimum(cancel) : ExtMinimum(cancel);
        return minimum + minimum / 100 + (4 << 20);
    }

    /// <summary>Afterwards the file has exactly <paramref name="length"/> bytes and its checker finds nothing.</summary>
    public void Shrink(long length, CancellationToken cancel)
    {
        if (IsNtfs)
        {
            Run("ntfsresize", cancel, "--force", "--force", "--no-progress-bar", "--size", Text(length), file);
            // ntfsresize asks Windows for a check by the dirty flag, and of a dirty volume nothing could be skipped.
            Run("ntfsfix", cancel, "--clear-dirty", file);
        }
        else
        {
            Run("resize2fs", cancel, file, Text(length / 1024) + "K");
        }
        using (var stream = File.OpenWrite(file))
            stream.SetLength(length);
        if (IsNtfs)
            Run("ntfsfix", cancel, "--no-action", file);
        else
            Run("e2fsck", cancel, "-f", "-n", file);
    }

    public static FailureException Failed(string what, ToolRun? run) => new(run is { IsMissing: true } ? "toolMissing" : "shrinkFailed",
        run is { IsMissing: true } ? Fault.Server : Fault.Image,
        $"The image was not shrunk: {what}{(run is null ? "" : $": {run.Said}")}.",
        run is { IsMissing: true } ? "Install e2fsprogs and ntfs-3g on the server." : "Check the file system on the source (e2fsck, chkdsk) and capture it again, or use a larger disk.");

    private long ExtMinimum(CancellationToken cancel)
    {
        // 1: errors corrected, in the copy. resize2fs wants this check.
        if (ToolRun.Of("e2fsck", cancel, "-f", "-p", file) is { ExitCode: not (0 or 1) } check)
            throw Failed("e2fsck found what it cannot repair", check);
        var blocks = Number(ExtEstimate(), Run("resize2fs", cancel, "-P", file));
        Span<byte> log = stackalloc byte[4];
        // s_log_block_size, bytes 24 to 27 of the superblock at 1024.
        using var handle = File.OpenHandle(file);
        RandomAccess.Read(handle, log, 1024 + 24);
        return blocks * (1024L << (int)(BinaryPrimitives.ReadUInt32LittleEndian(log) & 7));
    }

    private long NtfsMinimum(CancellationToken cancel)
    {
        var run = ToolRun.Of("ntfsresize", cancel, "--info", "--force", "--no-progress-bar", file);
        if (run.ExitCode != 0 && run.Said.Contains("fully utilized", StringComparison.Ordinal))
            return new FileInfo(file).Length;
        return run.ExitCode == 0 ? Number(NtfsEstimate(), run) : throw Failed("ntfsresize cannot work on it", run);
    }

    private static ToolRun Run(string tool, CancellationToken cancel, params ReadOnlySpan<string> arguments)
    {
        var run = ToolRun.Of(tool, cancel, arguments);
        return run.ExitCode == 0 ? run : throw Failed($"{tool} ended with {run.ExitCode}", run);
    }

    private static long Number(Regex pattern, ToolRun run) => pattern.Match(run.Said) is { Success: true } match && long.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number : throw Failed("its resizer says nothing of the least size", run);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"minimum size of the filesystem: (\d+)", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ExtEstimate();

    [GeneratedRegex(@"You might resize at (\d+) bytes", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NtfsEstimate();
}
