using System.Numerics;
using System.Text;

namespace ImageForge.Imaging.FileSystems;

[Flags]
internal enum BtrfsIncompat : ulong
{
    None = 0,
    MixedBackref = 0x1, DefaultSubvolume = 0x2, MixedGroups = 0x4, Lzo = 0x8, ZstdCompression = 0x10, BigMetadata = 0x20, ExtendedRef = 0x40, Raid56 = 0x80,
    SkinnyMetadata = 0x100, NoHoles = 0x200, MetadataUuid = 0x400, Raid1C34 = 0x800, Zoned = 0x1000, SimpleQuota = 0x10000,
    Known = MixedBackref | DefaultSubvolume | MixedGroups | Lzo | ZstdCompression | BigMetadata | ExtendedRef | Raid56 | SkinnyMetadata | NoHoles
        | MetadataUuid | Raid1C34 | Zoned | SimpleQuota,
}

[Flags]
internal enum BtrfsReadOnlyCompat : ulong
{
    None = 0,
    FreeSpaceTree = 0x1, FreeSpaceTreeValid = 0x2, Verity = 0x4, BlockGroupTree = 0x8,
    Known = FreeSpaceTree | FreeSpaceTreeValid | Verity | BlockGroupTree,
}

[Flags]
internal enum BtrfsFlags : ulong
{
    None = 0,
    Written = 0x1, Relocated = 0x2, Error = 0x4, Seed = 1UL << 32,
    Usual = Written | Relocated,
}

/// <summary>
/// The superblock at 64 KiB, 4096 bytes (btrfs wiki, "On-disk Format"): 0 checksum of the rest, 32 fsid, 48 own address, 56 flags,
/// 64 magic, 72 generation, 80 root of the root tree, 88 of the chunk tree, 96 of the log, 112 bytes, 136 devices, 144 sector and 148 node size,
/// 160 size of the bootstrap chunks, 164 generation of the chunk root, 180/188 features, 196 kind of checksum, 198/199 levels of the roots,
/// 201 this device (0 id, 8 bytes), 299 label, 571 fsid the nodes carry where the other was changed, 811 bootstrap chunks.
/// </summary>
internal sealed record BtrfsSuperblock
{
    public const int Offset = 64 << 10, Size = 4096;
    private const int ChunkArrayAt = 811, ChunkArrayRoom = 2048;

    /// <summary>Where the copies are, if the device reaches so far; the third at 256 GiB.</summary>
    public static readonly long[] Copies = [Offset, 64L << 20, 256L << 30];

    public required byte[] FsId { get; init; }

    /// <summary>What the nodes carry.</summary>
    public required byte[] NodeFsId { get; init; }
    public required BtrfsFlags Flags { get; init; }
    public required ulong Generation { get; init; }
    public required ulong RootTree { get; init; }
    public required int RootLevel { get; init; }
    public required ulong ChunkTree { get; init; }
    public required int ChunkLevel { get; init; }
    public required ulong ChunkGeneration { get; init; }
    public required bool HasLog { get; init; }
    public required ulong Devices { get; init; }
    public required ulong DeviceId { get; init; }
    public required long DeviceBytes { get; init; }
    public required int SectorSize { get; init; }
    public required int NodeSize { get; init; }
    public required BtrfsIncompat Incompat { get; init; }
    public required BtrfsReadOnlyCompat ReadOnlyCompat { get; init; }
    public required BtrfsChecksumKind ChecksumKind { get; init; }
    public required byte[] ChunkArray { get; init; }
    public required string? Label { get; init; }

    public string Uuid => new Guid(FsId, bigEndian: true).ToString();

    public static bool IsPresent(VolumeReader volume) => volume.Length >= Offset + Size && volume.Has(Offset + 64, "_BHRfS_M"u8);

    public static BtrfsSuperblock Read(VolumeReader volume)
    {
        var s = volume.Read(Offset, Size);
        var kind = (BtrfsChecksumKind)s.U16(196);
        if (!Enum.IsDefined(kind) || !BtrfsChecksum.IsRight(kind, s) || s.U64(48) != Offset)
            throw new DamagedVolumeException("its superblock has a wrong checksum");
        var (sectorSize, nodeSize) = (s.U32(144), s.U32(148));
        if (!BitOperations.IsPow2(sectorSize) || sectorSize is < 4096 or > 65536 || !BitOperations.IsPow2(nodeSize) || nodeSize < sectorSize || nodeSize > 65536)
            throw new DamagedVolumeException("its sector size or node size is impossible");
        var deviceBytes = s.U64(201 + 8);
        if (deviceBytes < 1 << 20 || deviceBytes > (ulong)volume.Length)
            throw new DamagedVolumeException("its size does not fit the volume");
        if (s.U32(160) > ChunkArrayRoom)
            throw new DamagedVolumeException("its bootstrap chunks have an impossible size");
        var incompat = (BtrfsIncompat)s.U64(188);
        var fsId = s.AsSpan(32, 16).ToArray();
        return new BtrfsSuperblock
        {
            FsId = fsId,
            NodeFsId = incompat.HasFlag(BtrfsIncompat.MetadataUuid) ? s.AsSpan(571, 16).ToArray() : fsId,
            Flags = (BtrfsFlags)s.U64(56),
            Generation = s.U64(72),
            RootTree = s.U64(80),
            RootLevel = s[198],
            ChunkTree = s.U64(88),
            ChunkLevel = s[199],
            ChunkGeneration = s.U64(164),
            HasLog = s.U64(96) != 0,
            Devices = s.U64(136),
            DeviceId = s.U64(201),
            DeviceBytes = (long)deviceBytes,
            SectorSize = (int)sectorSize,
            NodeSize = (int)nodeSize,
            Incompat = incompat,
            ReadOnlyCompat = (BtrfsReadOnlyCompat)s.U64(180),
            ChecksumKind = kind,
            ChunkArray = s.AsSpan(ChunkArrayAt, (int)s.U32(160)).ToArray(),
            Label = ReadLabel(s.AsSpan(299, 256)),
        };
    }

    private static string? ReadLabel(ReadOnlySpan<byte> label)
    {
        var end = label.IndexOf((byte)0);
        var text = Encoding.UTF8.GetString(end < 0 ? label : label[..end]);
        return text.Length == 0 ? null : text;
    }
}
