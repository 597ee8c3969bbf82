namespace ImageForge.Imaging.Nbd;

/// <summary>Numbers of the NBD protocol (doc/proto.md of NetworkBlockDevice/nbd).</summary>
internal static class NbdWire
{
    public const ushort FixedNewstyle = 1, NoZeroes = 2;
    public const uint OptionGo = 7, ReplyDone = 1, ReplyInformation = 3, RefusedBit = 0x8000_0000;
    public const ushort InfoExport = 0, InfoBlockSize = 3;
    public const ulong ReplyMagic = 0x3e889045565a9;

    /// <summary>Transmission flags.</summary>
    public const ushort ReadOnly = 2, SendFlush = 4, SendWriteZeroes = 64;

    public const uint RequestMagic = 0x25609513, SimpleReplyMagic = 0x67446698;
    public const ushort Read = 0, Write = 1, Disconnect = 2, Flush = 3, WriteZeroes = 6;

    /// <summary>Magic u32, flags u16, type u16, cookie u64, offset u64, length u32.</summary>
    public const int RequestBytes = 28;

    /// <summary>Magic u32, error u32, cookie u64.</summary>
    public const int ReplyBytes = 16;
}
