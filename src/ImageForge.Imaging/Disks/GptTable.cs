namespace ImageForge.Imaging.Disks;

/// <summary>A GUID partition table as structure (UEFI 2.10 §5.3): plain values that a manifest can hold.</summary>
/// <param name="SectorSize">Bytes per logical block the table was made for.</param>
/// <param name="DiskSectors">Size of the disk it was read from.</param>
/// <param name="FirstUsableLba">First LBA a partition may use.</param>
/// <param name="LastUsableLba">Last LBA a partition may use (inclusive).</param>
/// <param name="PrimaryEntriesLba">Where the first copy's entries start, usually 2.</param>
/// <param name="BackupEntriesLba">Where the second copy's entries start on the disk it was read from.</param>
/// <param name="BackupHeaderLba">Where the second header lies on the disk it was read from; the last LBA unless the disk had grown.</param>
/// <param name="EntryCount">Number of slots, used or not, usually 128.</param>
/// <param name="EntrySize">Bytes per slot, usually 128.</param>
/// <param name="Entries">The slots as on disk, <paramref name="EntryCount"/> × <paramref name="EntrySize"/> bytes.</param>
/// <param name="BootSector">LBA 0 as on disk, one sector: boot code and protective MBR.</param>
public sealed record GptTable(
    int SectorSize,
    long DiskSectors,
    Guid DiskGuid,
    long FirstUsableLba,
    long LastUsableLba,
    long PrimaryEntriesLba,
    long BackupEntriesLba,
    long BackupHeaderLba,
    int EntryCount,
    int EntrySize,
    byte[] Entries,
    byte[] BootSector);
