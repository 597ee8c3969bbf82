namespace ImageForge.NetBoot.Tftp;

/// <summary>RFC 1350 appendix I; 8 from RFC 2347.</summary>
public enum TftpErrorCode : ushort
{
    Undefined = 0,
    FileNotFound = 1,
    AccessViolation = 2,
    DiskFull = 3,
    IllegalOperation = 4,
    UnknownTransferId = 5,
    FileExists = 6,
    NoSuchUser = 7,
    OptionRefused = 8,
}
