using System.Text;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// pagefile.sys, swapfile.sys and hiberfil.sys in the root folder: what Windows keeps of its memory. Their content is worth nothing once Windows
/// is shut down. Only a plain file of that one name is meant: no folder, no second (hard) link, no reparse point, not compressed,
/// sparse or encrypted.
/// </summary>
internal sealed class NtfsMemoryFiles
{
    /// <summary>ntfs-3g takes a shorter hiberfil.sys for the mark that a hibernated Windows leaves on its other volumes (ntfs_volume_check_hiberfile).</summary>
    private const int HibernationHeader = 4096;
    private const string HiberFile = "hiberfil.sys";
    private static readonly string[] s_names = ["pagefile.sys", "swapfile.sys", HiberFile];

    private readonly List<(string Name, NtfsFile File)> _skippable = [];

    private NtfsMemoryFiles() { }

    /// <summary>Files whose content may be skipped.</summary>
    public IReadOnlyList<(string Name, NtfsFile File)> Skippable => _skippable;

    /// <summary>The hiberfil.sys holds a system that is to be resumed, wholly (hibernation) or its kernel (fast startup).</summary>
    public bool Hibernated { get; private set; }

    /// <summary>Of a hiberfil.sys that is kept because its header is not known; else null.</summary>
    public string? Remark { get; private set; }

    /// <exception cref="DamagedVolumeException">The root folder or one of these files contradicts itself.</exception>
    public static NtfsMemoryFiles Find(VolumeReader volume, NtfsBootSector boot, NtfsMft mft)
    {
        var files = new NtfsMemoryFiles();
        var found = NtfsRootFolder.Find(volume, boot, mft, name => Array.Exists(s_names, known => Ascii.EqualsIgnoreCase(known, name)));
        foreach (var name in s_names)
        {
            var entries = found.FindAll(entry => Ascii.EqualsIgnoreCase(entry.Name, name));
            // Names that differ in case only: which of them Windows means is not known here.
            if (entries.Count > 1)
                entries.RemoveAll(entry => name != HiberFile);
            foreach (var entry in entries)
                files.Look(volume, boot, mft, name, entry, mayBeSkipped: entries.Count == 1);
        }
        return files;
    }

    private void Look(VolumeReader volume, NtfsBootSector boot, NtfsMft mft, string name, NtfsRootFolder.Found entry, bool mayBeSkipped)
    {
        var record = mft.Read(entry.Record);
        if (record.BaseRecord != 0 || record.Sequence != entry.Sequence)
            throw new DamagedVolumeException($"its root folder names a {name} that is not there");
        if (record.IsFolder)
            return;
        var attributes = mft.Attributes(entry.Record, record);
        var data = attributes.FindAll(NtfsMft.IsContent);
        if (data.Count == 0 || !data.TrueForAll(piece => piece.IsPlain) || attributes.Exists(attribute => attribute.Type == NtfsAttribute.ReparsePoint))
            return;
        var file = NtfsFile.Open(boot, entry.Record, data);
        if (name == HiberFile && !IsSpent(volume, file))
            return;
        if (mayBeSkipped && record.Links == 1 && IsOnlyName(attributes, entry.Name))
            _skippable.Add((name, file));
    }

    private static bool IsOnlyName(List<NtfsAttribute> attributes, string name)
    {
        var names = attributes.FindAll(attribute => attribute.Type == NtfsAttribute.FileName);
        if (names.Count != 1 || names[0].Content() is not { Length: >= NtfsRootFolder.NameAt } content)
            return false;
        var bytes = content.Span;
        var length = 2 * bytes[NtfsRootFolder.NameLengthAt];
        return (bytes.U64(0) & NtfsRootFolder.RecordMask) == NtfsRootFolder.Record && NtfsRootFolder.NameAt + length <= bytes.Length
            && Encoding.Unicode.GetString(bytes.Slice(NtfsRootFolder.NameAt, length)) == name;
    }

    /// <summary>
    /// PO_MEMORY_IMAGE: 0 signature. "hibr": a system to resume; "rstr": resuming it has begun; "wake": it was resumed; zeros: likewise, since Windows 8
    /// (Windows NT 6.2 clears the page), and never used. In capitals since Windows 8. (volatility, "Hiber Address Space"; Sylve, Marziale
    /// and Richard, "Modern Windows hibernation file analysis", 2016; ntfs-3g, ntfs_volume_check_hiberfile.)
    /// </summary>
    private bool IsSpent(VolumeReader volume, NtfsFile file)
    {
        if (file.Length < HibernationHeader)
        {
            Hibernated = true;
            return false;
        }
        // What lies behind the initialised part reads as zeros.
        var header = new byte[HibernationHeader];
        file.Read(volume, 0, header.AsSpan(0, (int)Math.Min(file.Size, HibernationHeader)));
        ReadOnlySpan<byte> signature = header.AsSpan(0, 4);
        if (Ascii.EqualsIgnoreCase(signature, "hibr"u8) || Ascii.EqualsIgnoreCase(signature, "rstr"u8))
        {
            Hibernated = true;
            return false;
        }
        if (Ascii.EqualsIgnoreCase(signature, "wake"u8) || !header.AsSpan().ContainsAnyExcept((byte)0))
            return true;
        Remark = "Its hiberfil.sys has an unknown header and is kept as it is.";
        return false;
    }
}
