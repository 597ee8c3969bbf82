using ImageForge.Contracts;

namespace ImageForge.Imaging.Imports;

/// <summary>Why something of another program cannot be taken; nothing has been written to a store then.</summary>
internal static class ImportFailures
{
    public static FailureException Damaged(string file, string why, Exception? inner = null) => new(
        "importDamaged", Fault.Image, $"{file} is damaged: {why}.", "Take the image again, or bring another copy of it.", inner);

    public static FailureException Unsupported(string file, string why, string cure) => new("importUnsupported", Fault.Image, $"{file} cannot be imported: {why}.", cure);
}
