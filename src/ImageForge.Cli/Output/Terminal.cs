namespace ImageForge.Cli.Output;

/// <summary>Where a person looks. A pipe, a file and a dumb terminal get neither colour nor a moving bar.</summary>
internal static class Terminal
{
    private static readonly bool s_dumb = Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";

    public static bool OutputIsOne => !Console.IsOutputRedirected && !s_dumb;

    public static bool ErrorIsOne => !Console.IsErrorRedirected && !s_dumb;

    /// <summary>Somebody can be asked.</summary>
    public static bool CanAsk => !Console.IsInputRedirected && !Console.IsErrorRedirected;
}
