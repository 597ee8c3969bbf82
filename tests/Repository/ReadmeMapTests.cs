using System.Text.RegularExpressions;

namespace ImageForge.RepositoryChecks;

/// <summary>A README is a map: every path and every type it names in back quotes exists.</summary>
public sealed partial class ReadmeMapTests
{
    internal static readonly string Top = FindTop();

    private static readonly string[] Files =
        [.. Directory.EnumerateFiles(Top, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Top, path)).Where(IsOurs)];

    /// <summary>Made by the build or at run time, or the Linux kernel's; written in back quotes in places.</summary>
    private static readonly string[] Made = ["Documentation/", "build/", "wwwroot/", "store/", "chunks/", "manifests/", "incoming/", "quarantine/", "secrets/", "obj/", "bin/"];

    /// <summary>Types of the framework that texts mention.</summary>
    private static readonly string[] Foreign =
        ["TimeProvider", "LibraryImport", "DirectPInvoke", "NativeLibrary", "RandomAccess", "SafeFileHandle", "BackgroundService", "LoggerMessage", "AllowAnonymous", "RequireAuthorization", "BodyWriter", "HttpClient", "SetDllImportResolver"];

    public static TheoryData<string> Readmes => [.. Files.Where(file => Path.GetFileName(file) == "README.md")];

    [Theory]
    [MemberData(nameof(Readmes))]
    public void Every_path_and_type_a_readme_names_exists(string readme)
    {
        var text = File.ReadAllText(Path.Combine(Top, readme));
        var folder = Path.GetDirectoryName(readme)!;
        var missing = Quoted().Matches(text).Select(match => match.Groups[1].Value).Distinct()
            .Where(name => LooksLikePath(name) ? !PathExists(folder, name) : LooksLikeType(name) && !TypeExists(name))
            .ToList();
        Assert.True(missing.Count == 0, $"{readme} names what does not exist: {string.Join(", ", missing)}");
    }

    [Fact]
    public void There_are_readmes_to_check() => Assert.NotEmpty(Readmes);

    [Theory]
    [InlineData("src/ImageForge.Server/NoSuchFolder/", false)]
    [InlineData("src/ImageForge.Server/", true)]
    [InlineData("forge", true)]
    public void A_wrong_path_is_noticed(string path, bool exists) => Assert.Equal(exists, PathExists("", path));

    private static bool LooksLikePath(string name) =>
        !name.StartsWith('/') && !name.StartsWith('-') && !name.StartsWith('.') && name.IndexOfAny([' ', '<', '>', '*', '{', '$', '…', '‹', ':', '=', '(', '?', '|', '\\', '~', '%', '@']) < 0
        && !Made.Any(made => name.StartsWith(made, StringComparison.Ordinal))
        && (name.EndsWith('/') || SourceFile().IsMatch(name));

    private static bool LooksLikeType(string name) => TwoHumps().IsMatch(name) && !Foreign.Contains(name);

    /// <summary>From the README's folder, from the top, as the end of a longer path ("Boot/BootDecider.cs"), or a file's bare name.</summary>
    private static bool PathExists(string folder, string name)
    {
        var wanted = name.TrimEnd('/');
        bool Is(string path) => File.Exists(Path.Combine(Top, path)) || Directory.Exists(Path.Combine(Top, path));
        return Is(Path.Combine(folder, wanted)) || Is(wanted)
            || (!name.Contains('/', StringComparison.Ordinal) && Files.Any(file => Path.GetFileName(file) == name))
            || Files.Any(file => file.StartsWith(folder, StringComparison.Ordinal)
                && (file.EndsWith($"/{wanted}", StringComparison.Ordinal) || file.Contains($"/{wanted}/", StringComparison.Ordinal)));
    }

    private static bool TypeExists(string name) => AllSource.Value.Contains(name, StringComparison.Ordinal);

    private static readonly Lazy<string> AllSource = new(() =>
        string.Join('\n', Files.Where(file => file.EndsWith(".cs", StringComparison.Ordinal) && !file.Contains("ReadmeMapTests", StringComparison.Ordinal)).Select(file => File.ReadAllText(Path.Combine(Top, file)))));

    private static bool IsOurs(string path) =>
        !path.Split('/').Any(part => part is "bin" or "obj" or "node_modules" or ".git" or "TestResults") && !path.StartsWith("build/", StringComparison.Ordinal);

    private static string FindTop()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "ImageForge.sln")))
                return folder;
        throw new InvalidOperationException("no ImageForge.sln above the tests");
    }

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\.(cs|sh|md|ipxe|csproj|sln|props|targets|sql|txt|html|css|js|ts)$")]
    private static partial Regex SourceFile();

    [GeneratedRegex("^(?:[A-Z][a-z]+){2,}$")]
    private static partial Regex TwoHumps();
}
