namespace ImageForge.Imaging.Disks;

/// <summary>A master boot record (UEFI 2.10 §5.2.1): restoring it means writing the boot sector back.</summary>
/// <param name="BootSector">LBA 0 as on disk, one sector.</param>
/// <param name="DiskSignature">Bytes 440–443, Windows' and Linux' identity of the disk.</param>
public sealed record MbrTable(byte[] BootSector, uint DiskSignature);
