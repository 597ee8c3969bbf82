using System.Text;

namespace ImageForge.Agent.Firmware;

/// <summary>A file on the EFI system partition that starts a system.</summary>
/// <param name="Path">As firmware writes it: <c>\EFI\debian\shimx64.efi</c>.</param>
internal sealed record LoaderFile(string Description, string Path);

/// <summary>
/// A mounted EFI system partition. Names are compared without case, as FAT does. What is found there is text from a disk: it
/// becomes a boot entry's description and nothing else.
/// </summary>
/// <param name="folder">Where it is mounted.</param>
/// <param name="suffix">Of the machine's loaders, such as <c>x64</c> (UEFI 2.10 §3.5.1.1).</param>
internal sealed class SystemPartition(string folder, string suffix)
{
    private const int MostFolders = 64, LongestDescription = 64, LargestList = 4096;
    private const long LargestLoader = 32 << 20;

    private string Fallback => $"BOOT{suffix.ToUpperInvariant()}.EFI";

    /// <summary>
    /// One for each system: Windows' boot manager, else what the folder's own list names first (shim's BOOTX64.CSV: file,
    /// description, arguments, comment in UTF-16), else shim, else the loader itself.
    /// </summary>
    public IReadOnlyList<LoaderFile> Loaders()
    {
        var found = new List<LoaderFile>();
        if (Find(folder, "EFI") is not { } efi)
            return found;
        foreach (var vendor in Names(efi, folders: true).Take(MostFolders))
        {
            var place = Path.Combine(efi, vendor);
            if (vendor.Equals("BOOT", StringComparison.OrdinalIgnoreCase))
                continue;
            if (vendor.Equals("Microsoft", StringComparison.OrdinalIgnoreCase))
            {
                if (Find(place, "Boot") is { } windows && Find(windows, "bootmgfw.efi") is { } manager)
                    found.Add(new LoaderFile("Windows Boot Manager", Efi(manager)));
            }
            else if (Listed(place) is { } listed)
            {
                found.Add(listed);
            }
            else if (Known(place) is { } loader)
            {
                found.Add(new LoaderFile(Description(vendor), Efi(loader)));
            }
        }
        return found;
    }

    /// <summary>
    /// Gives firmware that has lost its entries something to start: the first system's loader as <c>\EFI\BOOT\BOOTX64.EFI</c>, with
    /// the files shim looks for beside itself. An existing one is the image's own and stays. Null: nothing to do.
    /// </summary>
    public string? RepairFallback(IReadOnlyList<LoaderFile> loaders)
    {
        if (loaders.Count == 0 || Find(folder, "EFI") is not { } efi)
            return null;
        var boot = Find(efi, "BOOT") ?? Path.Combine(efi, "BOOT");
        if (Find(boot, Fallback) is not null)
            return null;
        Directory.CreateDirectory(boot);
        var loader = OnDisk(loaders[0].Path);
        foreach (var companion in new[] { $"grub{suffix}.efi", $"mm{suffix}.efi" })
            if (Path.GetFileName(loader).StartsWith("shim", StringComparison.OrdinalIgnoreCase)
                && Find(Path.GetDirectoryName(loader)!, companion) is { } beside && Find(boot, companion) is null)
                Copy(beside, Path.Combine(boot, companion));
        Copy(loader, Path.Combine(boot, Fallback));
        return $"Restored the fallback loader \\EFI\\BOOT\\{Fallback} from {loaders[0].Path}.";
    }

    private LoaderFile? Listed(string place)
    {
        if (Find(place, $"BOOT{suffix}.CSV") is not { } list || new FileInfo(list).Length > LargestList)
            return null;
        var bytes = File.ReadAllBytes(list);
        var text = bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) ? Encoding.Unicode.GetString(bytes, 2, bytes.Length - 2) : Encoding.Unicode.GetString(bytes);
        var fields = text.Split('\n')[0].Split(',');
        // The name of a file beside the list, never a way out of the folder.
        return fields.Length >= 2 && fields[0].Trim() is { Length: > 0 } name && !name.AsSpan().ContainsAny('/', '\\') && Find(place, name) is { } file
            ? new LoaderFile(Description(fields[1]), Efi(file)) : null;
    }

    private string? Known(string place) =>
        Find(place, $"shim{suffix}.efi") ?? Find(place, $"grub{suffix}.efi") ?? Find(place, $"systemd-boot{suffix}.efi") ?? Find(place, $"refind_{suffix}.efi");

    private static string Description(string text)
    {
        var clean = string.Concat(text.Trim().Where(c => !char.IsControl(c) && !char.IsSurrogate(c)).Take(LongestDescription));
        return clean.Length == 0 ? "Restored system" : clean;
    }

    private string Efi(string file) => "\\" + Path.GetRelativePath(folder, file).Replace('/', '\\');

    private string OnDisk(string path) => Path.Combine(folder, path.TrimStart('\\').Replace('\\', '/'));

    private static string? Find(string place, string name) =>
        Names(place, folders: null).FirstOrDefault(n => n.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } found ? Path.Combine(place, found) : null;

    private static IEnumerable<string> Names(string place, bool? folders)
    {
        if (!Directory.Exists(place))
            return [];
        var entries = new DirectoryInfo(place).EnumerateFileSystemInfos();
        return entries.Where(e => folders is null || e is DirectoryInfo == folders).Select(e => e.Name).Order(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Under another name first: firmware never finds half a loader.</summary>
    private static void Copy(string from, string to)
    {
        if (new FileInfo(from).Length > LargestLoader)
            throw new IOException($"{from} is too large for a loader");
        var part = to + ".new";
        File.Copy(from, part, overwrite: true);
        File.Move(part, to, overwrite: true);
    }
}
