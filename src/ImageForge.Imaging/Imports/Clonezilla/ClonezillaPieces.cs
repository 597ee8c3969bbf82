using System.Text.RegularExpressions;

namespace ImageForge.Imaging.Imports.Clonezilla;

/// <summary>The files that hold one partition, in order: one file, or pieces <c>.aa</c>, <c>.ab</c> … (<c>.aaa</c> … of large images).</summary>
internal static partial class ClonezillaPieces
{
    /// <param name="part">For example <c>sda1</c>.</param>
    public static IReadOnlyList<string> Of(string folder, string part)
    {
        var files = Directory.EnumerateFiles(folder, part + ".*").Order(StringComparer.Ordinal).ToList();
        if (files.Find(file => Path.GetFileName(file).StartsWith(part + ".ntfs-img", StringComparison.Ordinal)) is { } ntfsclone)
            throw ImportFailures.Unsupported(Path.GetFileName(ntfsclone), "it was made by ntfsclone", "Restore it with Clonezilla onto a disk and capture that.");
        var images = files.Select(file => (File: file, Match: Image().Match(Path.GetFileName(file)[part.Length..]))).Where(image => image.Match.Success).ToList();
        if (images.Count == 0)
            return [];
        if (images.Select(image => image.Match.Groups["kind"].Value).Distinct().Count() > 1)
            throw ImportFailures.Damaged(part, "it has images of two kinds");
        var expected = "";
        foreach (var (file, match) in images)
        {
            var piece = match.Groups["piece"].Value;
            if (images.Count > 1 && piece.Length == 0)
                throw ImportFailures.Damaged(part, $"{Path.GetFileName(file)} is whole and cut at once");
            if (piece.Length == 0)
                break;
            expected = expected.Length == 0 ? new string('a', piece.Length) : Next(expected);
            if (piece != expected)
                throw ImportFailures.Damaged(part, $"its piece .{expected} is missing");
        }
        return [.. images.Select(image => image.File)];
    }

    /// <summary>aa, ab … az, ba: as split(1) counts.</summary>
    private static string Next(string suffix)
    {
        var letters = suffix.ToCharArray();
        for (var i = letters.Length - 1; i >= 0; i--)
        {
            if (letters[i] != 'z')
            {
                letters[i]++;
                return new string(letters);
            }
            letters[i] = 'a';
        }
        return new string(letters);
    }

    [GeneratedRegex(@"^\.(?<kind>[A-Za-z0-9+_-]{1,16}-ptcl-img(\.(gz|bz2|lzo|lzma|xz|lz|lzip|lrz|lz4|zst|zstd|uncomp))?|dd-img)(\.(?<piece>[a-z]{2,3}))?$", RegexOptions.ExplicitCapture)]
    private static partial Regex Image();
}
