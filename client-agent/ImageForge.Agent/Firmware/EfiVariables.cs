using ImageForge.Agent.Inventory;

namespace ImageForge.Agent.Firmware;

/// <summary>
/// The firmware's global variables (UEFI 2.10 §3.3) through efivarfs: a file per variable, four bytes of attributes and then the
/// value (Linux Documentation/filesystems/efivarfs.rst). A folder of plain files stands in for it in tests.
/// </summary>
internal sealed class EfiVariables(SystemRoot root)
{
    private const string Folder = "/sys/firmware/efi/efivars", GlobalVendor = "-8be4df61-93ca-11d2-aa0d-00e098032b8c";

    /// <summary>No boot variable is near this; firmware that claims more is not believed.</summary>
    private const int LongestValue = 64 << 10;

    /// <summary>Non-volatile, boot services, run time: what the specification demands of every boot variable.</summary>
    private const uint BootAttributes = 7;

    /// <summary>False on a machine that booted through BIOS, or whose firmware offers no variables at run time.</summary>
    public bool Exist => root.Names(Folder).Count > 0;

    /// <summary>Names without the vendor, for example <c>Boot0001</c>.</summary>
    public IEnumerable<string> Names() => root.Names(Folder)
        .Where(name => name.EndsWith(GlobalVendor, StringComparison.OrdinalIgnoreCase))
        .Select(name => name[..^GlobalVendor.Length]);

    /// <summary>The value without its attributes; null when there is none or the firmware does not give it.</summary>
    public byte[]? Read(string name) => root.Bytes(File(name), LongestValue) is { Length: >= 4 } bytes ? bytes[4..] : null;

    /// <exception cref="IOException">The firmware refused: full, or write-protected.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, in other words.</exception>
    public void Write(string name, ReadOnlySpan<byte> value)
    {
        var bytes = new byte[4 + value.Length];
        BitConverter.TryWriteBytes(bytes, BootAttributes);
        value.CopyTo(bytes.AsSpan(4));
        // One write is one SetVariable; truncating first would be a deletion.
        using var file = new FileStream(root.Path(File(name)), FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
        file.Write(bytes);
        // A variable has no position to seek to and takes each write as its whole value; a plain file in a test keeps its old end.
        if (file.CanSeek && file.Length > bytes.Length)
            file.SetLength(bytes.Length);
    }

    /// <inheritdoc cref="Write"/>
    public void Delete(string name)
    {
        if (root.Exists(File(name)))
            System.IO.File.Delete(root.Path(File(name)));
    }

    private static string File(string name) => $"{Folder}/{name}{GlobalVendor}";
}
