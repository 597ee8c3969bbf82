using ImageForge.Lab;

namespace ImageForge.EndToEnd;

/// <summary>Figures that `./forge test` prints beside the result of the suite.</summary>
internal static class Measured
{
    private static readonly Lock FileLock = new();

    public static void Write(string what, FormattableString figure)
    {
        lock (FileLock)
        {
            File.AppendAllText(
                Path.Combine(Directory.CreateDirectory(Path.Combine(Repository.Build, "test")).FullName, "measured.txt"),
                $"measured: {what}: {FormattableString.Invariant(figure)}\n");
        }
    }
}
