using System.Text.RegularExpressions;

namespace ImageForge.Server.Boot;

/// <summary>How a machine starts its own disk, as the scripts' settings say it.</summary>
/// <param name="Way"><c>auto</c> (what works on most machines of the platform) or <c>exit</c> (leave it to the firmware's boot order).</param>
/// <param name="Drive">BIOS drive number.</param>
/// <param name="File">Loader on the EFI system partition, tried before all others; <c>auto</c>: the usual names in the script's order.</param>
internal sealed partial record LocalBootMethod(string Way = "auto", string Drive = "0x80", string File = "auto")
{
    public static LocalBootMethod Default { get; } = new();

    public const string Forms = @"auto, exit, disk 0x81 (BIOS drive number), file \EFI\Microsoft\Boot\bootmgfw.efi (UEFI loader)";

    /// <param name="text">Null or empty: the default. Otherwise one of <see cref="Forms"/>.</param>
    public static bool TryParse(string? text, out LocalBootMethod method)
    {
        method = Default;
        text = text?.Trim();
        if (string.IsNullOrEmpty(text) || text == "auto")
            return true;
        if (text == "exit")
            method = Default with { Way = "exit" };
        else if (DiskForm().Match(text) is { Success: true } disk)
            method = Default with { Drive = disk.Groups[1].Value };
        else if (FileForm().Match(text) is { Success: true } file)
            method = Default with { File = file.Groups[1].Value };
        else
            return false;
        return true;
    }

    [GeneratedRegex(@"^disk (0x8[0-9a-f])$", RegexOptions.IgnoreCase)]
    private static partial Regex DiskForm();

    // iPXE cuts at blanks, so a path with one cannot be told to it.
    [GeneratedRegex(@"^file ((?:\\[A-Za-z0-9._-]{1,64}){1,8})$")]
    private static partial Regex FileForm();
}
