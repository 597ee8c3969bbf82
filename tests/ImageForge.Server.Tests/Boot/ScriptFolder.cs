namespace ImageForge.Server.Tests.Boot;

/// <summary>The scripts as they lie beside the server program.</summary>
internal static class ScriptFolder
{
    public static string Path => System.IO.Path.Combine(AppContext.BaseDirectory, "ipxe-scripts");

    public static string Read(string name) => File.ReadAllText(System.IO.Path.Combine(Path, name));

    public static string[] Files => [.. Directory.GetFiles(Path, "*.ipxe").Select(f => System.IO.Path.GetFileName(f)).Order(StringComparer.Ordinal)];
}
