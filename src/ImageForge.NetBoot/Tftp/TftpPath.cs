using System.Diagnostics.CodeAnalysis;

namespace ImageForge.NetBoot.Tftp;

/// <summary>
/// The names clients send: <c>/undionly.kpxe</c> (absolute, meaning the server's root), <c>boot\x64\wdsnbp.com</c>
/// (Microsoft's loaders), <c>//grub/./grub.cfg</c>. Nothing is decoded: <c>%2e%2e</c> is a name of six characters.
/// </summary>
internal static class TftpPath
{
    private const int LongestPath = 512;

    /// <summary>Names separated by <c>/</c>, none of them empty, <c>.</c> or <c>..</c>; false when that cannot be had.</summary>
    public static bool TryNormalise(string name, [NotNullWhen(true)] out string? path)
    {
        path = null;
        // Control characters name no file of ours and would reach the log.
        if (name.Length > LongestPath || name.AsSpan().IndexOfAnyInRange('\0', '\u001f') >= 0 || name.Contains('\u007f', StringComparison.Ordinal))
            return false;
        var parts = name.Replace('\\', '/').Split('/').Where(part => part is not ("" or ".")).ToArray();
        if (parts.Length == 0 || parts.Contains(".."))
            return false;
        path = string.Join('/', parts);
        return true;
    }
}
