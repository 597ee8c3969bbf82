using System.Text;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

[Flags]
internal enum ExtIncompat : uint
{
    None = 0,
    FileType = 0x2, Recover = 0x4, JournalDevice = 0x8, MetaBg = 0x10, Extents = 0x40, Bits64 = 0x80, Mmp = 0x100, FlexBg = 0x200,
    EaInode = 0x400, DirData = 0x1000, CsumSeed = 0x2000, LargeDir = 0x4000, InlineData = 0x8000, Encrypt = 0x10000, CaseFold = 0x20000,
    Known = FileType | Recover | MetaBg | Extents | Bits64 | Mmp | FlexBg | EaInode | DirData | CsumSeed | LargeDir | InlineData | Encrypt | CaseFold,
}

[Flags]
internal enum ExtReadOnlyCompat : uint
{
    None = 0,
    SparseSuper = 0x1, LargeFile = 0x2, BTreeDir = 0x4, HugeFile = 0x8, GdtCsum = 0x10, DirNlink = 0x20, ExtraIsize = 0x40, Quota = 0x100,
    BigAlloc = 0x200, MetadataCsum = 0x400, ReadOnly = 0x1000, Project = 0x2000, SharedBlocks = 0x4000, Verity = 0x8000, OrphanPresent = 0x10000,
    Known = SparseSuper | LargeFile | BTreeDir | HugeFile | GdtCsum | DirNlink | ExtraIsize | Quota | BigAlloc | MetadataCsum | ReadOnly
        | Project | SharedBlocks | Verity | OrphanPresent,
}

/// <summary>
/// The fields of the superblock at byte 1024 that decide where blocks are (kernel documentation, ext4 data structures,
/// "Super Block"): 0x00 inodes, 0x04/0x150 blocks, 0x14 first data block, 0x18/0x1C log of block and cluster size, 0x20/0x24/0x28 blocks,
/// clusters and inodes per group, 0x38 magic, 0x3A state, 0x58 inode size, 0x5C/0x60/0x64 features, 0x68 UUID, 0x78 label, 0xCE reserved GDT
/// blocks, 0xE0 inode of the journal (0: it is on another device), 0xFE descriptor size, 0x104 first meta_bg, 0x24C sparse_super2's two backups, 0x270 checksum seed, 0x3FC checksum.
/// </summary>
internal sealed record ExtSuperblock
{
    public const int Offset = 1024, Size = 1024;
    private const ushort Magic = 0xEF53, CleanlyUnmounted = 1, ErrorsFound = 2;
    private const uint HasJournal = 4, SparseSuper2Flag = 0x200;

    public required int BlockSize { get; init; }
    public required int BlocksPerCluster { get; init; }
    public required long Blocks { get; init; }
    public required long FirstDataBlock { get; init; }
    public required int BlocksPerGroup { get; init; }
    public required int ClustersPerGroup { get; init; }
    public required long InodeTableBlocks { get; init; }
    public required int DescriptorSize { get; init; }
    public required int ReservedGdtBlocks { get; init; }
    public required long FirstMetaBg { get; init; }
    public required ExtIncompat Incompat { get; init; }
    public required ExtReadOnlyCompat ReadOnlyCompat { get; init; }
    public required bool SparseSuper2 { get; init; }
    public required (uint First, uint Second) BackupGroups { get; init; }
    public required bool JournalPresent { get; init; }
    public required bool JournalElsewhere { get; init; }
    public required bool Clean { get; init; }
    public required bool Errors { get; init; }
    public required byte[] UuidBytes { get; init; }
    public required uint ChecksumSeed { get; init; }
    public required string? Label { get; init; }

    public long Groups => (Blocks - FirstDataBlock + BlocksPerGroup - 1) / BlocksPerGroup;
    public int DescriptorsPerBlock => BlockSize / DescriptorSize;
    public long DescriptorBlocks => (Groups + DescriptorsPerBlock - 1) / DescriptorsPerBlock;
    public bool MetadataCsum => ReadOnlyCompat.HasFlag(ExtReadOnlyCompat.MetadataCsum);
    public bool GroupCsum => MetadataCsum || ReadOnlyCompat.HasFlag(ExtReadOnlyCompat.GdtCsum);
    public bool MetaBg => Incompat.HasFlag(ExtIncompat.MetaBg);
    public string Uuid => new Guid(UuidBytes, bigEndian: true).ToString();

    public FileSystemKind Kind =>
        (Incompat & (ExtIncompat.Extents | ExtIncompat.Bits64 | ExtIncompat.FlexBg | ExtIncompat.MetaBg | ExtIncompat.InlineData)) != 0
        || (ReadOnlyCompat & (ExtReadOnlyCompat.HugeFile | ExtReadOnlyCompat.GdtCsum | ExtReadOnlyCompat.BigAlloc | ExtReadOnlyCompat.MetadataCsum)) != 0
            ? FileSystemKind.Ext4
            : JournalPresent ? FileSystemKind.Ext3 : FileSystemKind.Ext2;

    public static bool HasMagic(ReadOnlySpan<byte> superblock) => superblock.U16(0x38) == Magic;

    public static ExtSuperblock Parse(ReadOnlySpan<byte> s, long volumeLength)
    {
        var incompat = (ExtIncompat)s.U32(0x60);
        var readOnlyCompat = (ExtReadOnlyCompat)s.U32(0x64);
        var revision = s.U32(0x4C);
        if (revision > 1)
            throw new DamagedVolumeException($"its revision is {revision}");
        var (logBlock, logCluster) = (s.U32(0x18), s.U32(0x1C));
        if (logBlock > 6)
            throw new DamagedVolumeException("its block size is impossible");
        var bigAlloc = readOnlyCompat.HasFlag(ExtReadOnlyCompat.BigAlloc);
        if (bigAlloc ? logCluster < logBlock || logCluster > logBlock + 15 || logCluster > 20 : false)
            throw new DamagedVolumeException("its cluster size is impossible");
        var blockSize = 1024 << (int)logBlock;
        var blocksPerCluster = bigAlloc ? 1 << (int)(logCluster - logBlock) : 1;
        var bits64 = incompat.HasFlag(ExtIncompat.Bits64);
        var blocks = s.U32(0x04) | (bits64 ? (ulong)s.U32(0x150) << 32 : 0);
        if (blocks == 0 || blocks > (ulong)(volumeLength / blockSize))
            throw new DamagedVolumeException($"it claims {blocks} blocks of {blockSize} bytes, more than the partition has");
        long firstDataBlock = s.U32(0x14);
        // Block 0 is the boot block where the superblock at byte 1024 is block 1.
        if (firstDataBlock > 1 || firstDataBlock == 1 && blockSize != 1024 || firstDataBlock == 0 && blockSize == 1024 && !bigAlloc || firstDataBlock >= (long)blocks)
            throw new DamagedVolumeException("its first data block is impossible");
        var (blocksPerGroup, clustersPerGroup, inodesPerGroup) = (s.U32(0x20), s.U32(0x24), s.U32(0x28));
        if (!bigAlloc)
            clustersPerGroup = blocksPerGroup;
        if (clustersPerGroup is 0 || clustersPerGroup > 8u * (uint)blockSize || clustersPerGroup % 8 != 0
            || blocksPerGroup != (ulong)clustersPerGroup * (uint)blocksPerCluster || blocksPerGroup is < 64 or > int.MaxValue)
            throw new DamagedVolumeException("its groups have an impossible size");
        // mke2fs fills a bitmap's block; many times more groups than that are an attack on our time: each costs a read.
        if ((long)(blocks / blocksPerGroup) > 65536 + 16 * (long)(blocks / ((ulong)blocksPerCluster * 8 * (uint)blockSize)))
            throw new DamagedVolumeException("its groups have an impossible size");
        var inodeSize = revision == 0 ? 128 : s.U16(0x58);
        if (inodeSize < 128 || inodeSize > blockSize || (inodeSize & (inodeSize - 1)) != 0 || inodesPerGroup == 0 || inodesPerGroup > 8u * (uint)blockSize)
            throw new DamagedVolumeException("its inode tables have an impossible size");
        var descriptorSize = bits64 ? s.U16(0xFE) : 32;
        if (bits64 && (descriptorSize < 64 || descriptorSize > 1024 || (descriptorSize & (descriptorSize - 1)) != 0))
            throw new DamagedVolumeException("its group descriptors have an impossible size");
        var uuid = s.Slice(0x68, 16).ToArray();
        if (readOnlyCompat.HasFlag(ExtReadOnlyCompat.MetadataCsum) && Crc32.Castagnoli(~0u, s[..0x3FC]) != s.U32(0x3FC))
            throw new DamagedVolumeException("its superblock has a wrong checksum");
        return new ExtSuperblock
        {
            BlockSize = blockSize,
            BlocksPerCluster = blocksPerCluster,
            Blocks = (long)blocks,
            FirstDataBlock = firstDataBlock,
            BlocksPerGroup = (int)blocksPerGroup,
            ClustersPerGroup = (int)clustersPerGroup,
            InodeTableBlocks = ((long)inodesPerGroup * inodeSize + blockSize - 1) / blockSize,
            DescriptorSize = descriptorSize,
            ReservedGdtBlocks = s.U16(0xCE),
            FirstMetaBg = s.U32(0x104),
            Incompat = incompat,
            ReadOnlyCompat = readOnlyCompat,
            SparseSuper2 = (s.U32(0x5C) & SparseSuper2Flag) != 0,
            BackupGroups = (s.U32(0x24C), s.U32(0x250)),
            JournalPresent = (s.U32(0x5C) & HasJournal) != 0,
            JournalElsewhere = (s.U32(0x5C) & HasJournal) != 0 && s.U32(0xE0) == 0,
            Clean = (s.U16(0x3A) & CleanlyUnmounted) != 0,
            Errors = (s.U16(0x3A) & ErrorsFound) != 0,
            UuidBytes = uuid,
            ChecksumSeed = incompat.HasFlag(ExtIncompat.CsumSeed) ? s.U32(0x270) : Crc32.Castagnoli(~0u, uuid),
            Label = ReadLabel(s.Slice(0x78, 16)),
        };
    }

    private static string? ReadLabel(ReadOnlySpan<byte> label)
    {
        var end = label.IndexOf((byte)0);
        var text = Encoding.UTF8.GetString(end < 0 ? label : label[..end]);
        return text.Length == 0 ? null : text;
    }
}
