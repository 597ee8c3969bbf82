using System.Text;

namespace ImageForge.Imaging.Imports;

/// <summary>Small files of other programs: a file that is not small is not what it claims to be.</summary>
internal static class TextFiles
{
    private const int MaxText = 1 << 20, MaxBytes = 16 << 20;

    /// <summary>Null if there is none.</summary>
    public static string? ReadText(string path) => Read(path, MaxText) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    public static byte[]? ReadBytes(string path) => Read(path, MaxBytes);

    private static byte[]? Read(string path, int most)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
            return null;
        if (file.Length > most)
            throw ImportFailures.Damaged(file.Name, $"it has {file.Length} bytes, where {most} are many");
        return File.ReadAllBytes(path);
    }
}
