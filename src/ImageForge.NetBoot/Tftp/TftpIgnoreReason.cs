namespace ImageForge.NetBoot.Tftp;

/// <summary>Why a packet changed nothing, or was answered with an error.</summary>
public enum TftpIgnoreReason
{
    TooShort,
    TooLong,
    UnknownOpcode,
    NotARequest,
    BadString,
    UnknownMode,
    MailMode,
    WriteRefused,
    BadPath,
    OptionRefused,
    TooManyTransfers,
    TooManyFromSource,
    RepeatedRequest,
    WrongTransferId,
    UnexpectedInTransfer,
    DuplicateAck,
    AckOutOfWindow,
    SendFailed,
    ResponderFault,
}
