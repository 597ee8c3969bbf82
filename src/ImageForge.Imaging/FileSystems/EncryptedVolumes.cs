using System.Buffers.Binary;
using System.Text;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// LUKS and BitLocker: recognised and taken whole. Without the key free and used blocks look alike, so nothing can be skipped.
/// LUKS (cryptsetup, "LUKS1 on-disk format" and "LUKS2 on-disk format"), numbers big-endian: 0 "LUKS" BA BE, 6 version, 168 UUID as text;
/// version 1: 8 cipher, 40 mode; version 2: 24 label, and a second header with "SKUL" BA BE at one of nine places.
/// BitLocker (libbde's format document): 3 "-FVE-FS-"; 160 (To Go: 424) a fixed GUID and behind it where the three metadata blocks begin,
/// each of which has "-FVE-FS-" at 0 and the volume's GUID at 80.
/// </summary>
internal static class EncryptedVolumes
{
    private const string Why = "without the key free and used space look alike, so nothing can be skipped and it is taken with every block.";

    private static readonly long[] s_secondHeaders = [.. Enumerable.Range(0, 9).Select(i => 0x4000L << i)];

    private static readonly (long Mark, byte[] Bytes, int Guid, string Name)[] s_bitLocker =
    [
        (3, [.. "-FVE-FS-"u8], 160, "BitLocker"),
        (424, [0x3B, 0xD6, 0x67, 0x49, 0x29, 0x2E, 0xD8, 0x4A, 0x83, 0x99, 0xF6, 0xA3, 0x39, 0xE3, 0xD0, 0x01], 424, "BitLocker To Go"),
    ];

    /// <summary>Null: no mark at the start of the volume.</summary>
    public static VolumeContent? Find(VolumeReader volume)
    {
        if (volume.Has(0, [.. "LUKS"u8, 0xBA, 0xBE]))
            return Luks(volume, 0, "");
        foreach (var (mark, bytes, guid, name) in s_bitLocker)
            if (volume.Has(mark, bytes))
                return VolumeProbe.AllUsed(FileSystemKind.BitLocker, volume.Length, BitLockerGuid(volume, guid), null, $"Encrypted with {name}: {Why}");
        return null;
    }

    /// <summary>A LUKS2 volume whose first header is gone; also a leftover under something newer. Null: neither.</summary>
    public static VolumeContent? FindSecondHeader(VolumeReader volume)
    {
        foreach (var at in s_secondHeaders)
            if (volume.HasReadable(at, [.. "SKUL"u8, 0xBA, 0xBE]))
                return Luks(volume, at, " (only its second header is left)");
        return null;
    }

    private static VolumeContent Luks(VolumeReader volume, long at, string remark)
    {
        if (at > volume.Length - 512)
            return VolumeProbe.AllUsed(FileSystemKind.Luks, volume.Length, null, null, $"Encrypted with LUKS: {Why}");
        var header = volume.Read(at, 512);
        var version = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(6));
        var detail = version == 1 && Text(header, 8, 32) is { } cipher ? $"1, {cipher}-{Text(header, 40, 32)}" : $"{version}";
        return VolumeProbe.AllUsed(FileSystemKind.Luks, volume.Length, Text(header, 168, 40), version == 2 ? Text(header, 24, 48) : null, $"Encrypted with LUKS{detail}{remark}: {Why}");
    }

    private static string? BitLockerGuid(VolumeReader volume, int header)
    {
        if (volume.Length < 512)
            return null;
        var sector = volume.Read(0, 512);
        for (var at = header + 16; at < header + 40; at += 8)
            if (sector.U64(at) is var block && block > 0 && block <= (ulong)Math.Max(0, volume.Length - 96) && volume.Has((long)block, "-FVE-FS-"u8))
                return new Guid(volume.Read((long)block + 80, 16)).ToString();
        return null;
    }

    private static string? Text(byte[] header, int at, int most)
    {
        var text = header.AsSpan(at, most);
        var end = text.IndexOf((byte)0);
        text = end < 0 ? text : text[..end];
        return text.Length == 0 || text.ContainsAnyExceptInRange((byte)0x20, (byte)0x7E) ? null : Encoding.ASCII.GetString(text);
    }
}
