using System.Text;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// The label of a physical volume, in one of the first four sectors of 512 bytes (lvm2, <c>lib/label/label.h</c> and
/// <c>lib/format_text/layout.h</c>): 0 "LABELONE", 8 this sector's number, 16 checksum of 20 to 511, 20 where the PV header begins (32),
/// 24 "LVM2 001". PV header: 0 UUID (32 characters), 32 bytes of the device, 40 data areas, then metadata areas, each list of
/// (offset u64, bytes u64) ended by a zero offset; then the extension: version u32, flags u32, boot loader areas.
/// </summary>
internal sealed record LvmLabel(string Uuid, IReadOnlyList<(long Offset, long Length)> Metadata, IReadOnlyList<(long Offset, long Length)> BootLoader)
{
    private const int SectorSize = 512;

    public static bool IsPresent(VolumeReader volume) => Find(volume) >= 0;

    /// <exception cref="DamagedVolumeException">The label contradicts itself.</exception>
    public static LvmLabel Parse(VolumeReader volume)
    {
        var number = Find(volume);
        if (number < 0)
            throw new DamagedVolumeException("it has no label");
        var sector = volume.Read(number * SectorSize, SectorSize);
        if (sector.U64(8) != (ulong)number || sector.U32(16) != Crc32.Lvm2(sector.AsSpan(20)))
            throw new DamagedVolumeException("the checksum of its label is wrong");
        var at = (int)Math.Min(sector.U32(20), SectorSize);
        if (at < 32 || at > SectorSize - 56)
            throw new DamagedVolumeException("its header lies outside its label");
        var uuid = Encoding.ASCII.GetString(sector, at, 32);
        at += 40;
        Areas(sector, ref at);
        var metadata = Areas(sector, ref at);
        if (metadata.Exists(area => area.Offset < 0 || area.Length < LvmMetadataArea.HeaderBytes || area.Offset > volume.Length - area.Length))
            throw new DamagedVolumeException("a metadata area lies outside the volume");
        // Labels of before 2013 end here, with zeros.
        var bootLoader = at <= SectorSize - 24 && sector.U32(at) >= 1 ? Areas(sector, at + 8) : [];
        if (bootLoader.Exists(area => area.Offset < 0 || area.Length < 0 || area.Offset > volume.Length - area.Length))
            throw new DamagedVolumeException("a boot loader area lies outside the volume");
        return new LvmLabel(uuid, metadata, bootLoader);
    }

    /// <summary>As LVM and blkid write it: <c>XFfna4-xVPS-jCrS-jvFO-BOlY-vOqZ-5boXTk</c>.</summary>
    public string UuidText => $"{Uuid[..6]}-{Uuid[6..10]}-{Uuid[10..14]}-{Uuid[14..18]}-{Uuid[18..22]}-{Uuid[22..26]}-{Uuid[26..]}";

    private static int Find(VolumeReader volume)
    {
        for (var sector = 0; sector < 4; sector++)
            if (volume.Has(sector * SectorSize, "LABELONE"u8) && volume.Has(sector * SectorSize + 24, "LVM2 001"u8))
                return sector;
        return -1;
    }

    private static List<(long Offset, long Length)> Areas(byte[] sector, int at) => Areas(sector, ref at);

    private static List<(long Offset, long Length)> Areas(byte[] sector, ref int at)
    {
        var areas = new List<(long, long)>();
        for (; at <= SectorSize - 16; at += 16)
        {
            var (offset, length) = ((long)sector.U64(at), (long)sector.U64(at + 8));
            if (offset == 0)
            {
                at += 16;
                return areas;
            }
            areas.Add((offset, length));
        }
        throw new DamagedVolumeException("a list in its label has no end");
    }
}
