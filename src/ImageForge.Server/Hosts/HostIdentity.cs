using ImageForge.Contracts;

namespace ImageForge.Server.Hosts;

/// <summary>
/// Whether a machine is the one we know, by SMBIOS UUID and serial (DSP0134 §7.2, §7.3).
/// Boards leave the factory with placeholders in these fields; a placeholder names no machine and counts as absent.
/// </summary>
internal static class HostIdentity
{
    // Placeholders seen on real boards, compared without case, spaces and punctuation.
    private static readonly HashSet<string> Placeholders = new(StringComparer.Ordinal)
    {
        "tobefilledbyoem", "tobefilledbyoemtobefilledbyoem", "tobefilled", "filledbyoem", "obefilledbyoem",
        "default", "defaultstring", "defaultserial", "defaultserialnumber",
        "none", "null", "nil", "na", "nan", "notapplicable", "notavailable", "notspecified", "notprovided", "notset", "notpresent",
        "unknown", "unspecified", "undefined", "invalid", "empty", "blank", "oem", "oemstring",
        "systemserialnumber", "systemserial", "serialnumber", "serial", "sn", "chassisserialnumber", "chassisserial",
        "baseboardserialnumber", "mbserialnumber", "boardserialnumber", "motherboardserialnumber", "mbs1234567890",
        "systemuuid", "systemproductname", "systemmanufacturer", "systemversion", "assettag", "noassettag", "noassetinformation",
        "assettagnumber", "chassisassettag", "atn12345678901234567", "sernum0", "serialnum0", "manufacturer0", "0123456789", "123456789", "1234567890", "12345678", "1234567", "123456",
        "01234567890123456789", "012345678901234567890123456789", "0123456789abcdef", "123456789abc", "1234567890abcdef",
        "xxxxxxxxxxxx", "eval", "sample", "test", "testserial", "notdefined", "asset1234567890", "empty1234567890", "1234567890123456789",
        "standard", "o.e.m", "theserialnumber", "noserialnumber", "noserial", "noserialnum", "nouuid", "sys1234567890", "system", "inputserial",
    };

    // UUIDs burnt into whole product lines.
    private static readonly HashSet<string> SharedUuids = new(StringComparer.Ordinal)
    {
        "03000200040005000006000700080009", // AMI Aptio default: Gigabyte, ASRock, many mini PCs
        "00020003000400050006000700080009", // the same, byte-swapped
        "123456781234567890abcddeefaabbcc", // MSI
        "000102030405060708090a0b0c0d0e0f",
        "030201000504070608090a0b0c0d0e0f", // the same, byte-swapped
        "0f0e0d0c0b0a09080706050403020100",
        "0123456789abcdef0123456789abcdef",
        "12345678123412341234123456789012",
        "12345678123412341234123456789abc",
        "12345678123456781234567812345678",
        "12345678123456789012345678901234",
        "12345678901234567890123456789012",
        "1234567890abcdef1234567890abcdef",
        "78563412341234121234123456789abc",
        "deadbeefdeadbeefdeadbeefdeadbeef",
        "fefefefefefefefefefefefefefefefe",
        "ffffff00ffffff00ffffff00ffffff00",
        "4c4c454400002010802080c04f202020", // Dell, service tag never set: all spaces
    };

    /// <summary>True for null, blanks, one character repeated (all 0, all F, all spaces) and well-known placeholders.</summary>
    public static bool IsJunk(string? value)
    {
        var key = Key(value);
        return key.Length == 0 || key.AsSpan().IndexOfAnyExcept(key[0]) < 0 || Placeholders.Contains(key) || SharedUuids.Contains(key);
    }

    /// <summary>
    /// One sentence saying how the machine that reports <paramref name="inventory"/> differs from the host's record; null when
    /// nothing contradicts. A value that the record lacks contradicts nothing.
    /// </summary>
    /// <param name="mustTell">
    /// The machine's disk is to be overwritten: it must tell every value that the record has. Otherwise a value the machine lacks contradicts nothing.
    /// </param>
    public static string? Mismatch(Host host, Inventory inventory, bool mustTell)
    {
        if (mustTell && Untold(host.Uuid, inventory.Uuid))
            return $"the machine tells no UUID, the record of {host.Name} says {host.Uuid}";
        if (mustTell && Untold(host.Serial, inventory.Serial))
            return $"the machine tells no serial, the record of {host.Name} says {host.Serial}";
        if (Differs(host.Uuid, inventory.Uuid) && !SameUuidOtherByteOrder(host.Uuid!, inventory.Uuid!))
            return $"the machine says UUID {DeviceText.Limit(inventory.Uuid)}, the record of {host.Name} says {host.Uuid}";
        if (Differs(host.Serial, inventory.Serial))
            return $"the machine says serial {DeviceText.Limit(inventory.Serial)}, the record of {host.Name} says {host.Serial}";
        return null;
    }

    private static bool Untold(string? known, string? told) => !IsJunk(known) && IsJunk(told);

    private static bool Differs(string? known, string? told) => !IsJunk(known) && !IsJunk(told) && Key(known) != Key(told);

    /// <summary>Before SMBIOS 2.6 the first three fields were written big-endian; firmware and kernel may disagree about one machine.</summary>
    private static bool SameUuidOtherByteOrder(string known, string told) =>
        Guid.TryParse(known, out var a) && Guid.TryParse(told, out var b) && a.ToByteArray().AsSpan().SequenceEqual(b.ToByteArray(bigEndian: true));

    private static string Key(string? value)
    {
        if (value is null)
            return "";
        Span<char> key = stackalloc char[Math.Min(value.Length, DeviceText.MaxLength)];
        var length = 0;
        foreach (var c in value)
        {
            if (length < key.Length && char.IsLetterOrDigit(c))
                key[length++] = char.ToLowerInvariant(c);
        }
        return new string(key[..length]);
    }
}
