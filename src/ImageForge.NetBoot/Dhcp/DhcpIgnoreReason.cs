namespace ImageForge.NetBoot.Dhcp;

/// <summary>Why a packet got no answer. Every packet that is not answered is counted under exactly one of these.</summary>
public enum DhcpIgnoreReason
{
    /// <summary>Not ignored.</summary>
    None,

    // The packet is not DHCP as RFC 2131 §2 lays it out.
    TooShort,
    TooLong,
    NotARequest,
    NotEthernet,
    UnusableHardwareAddress,
    NoMagicCookie,
    TruncatedOption,
    BadOverload,
    NoMessageType,
    UnknownMessageType,
    BadOptionLength,

    // It is DHCP, but not for us.
    OtherInterface,
    ServerMessage,
    NotNetBoot,
    NoArchitecture,
    NotOurService,
    ForAnotherServer,
    NoBootFile,
    BootFileTooLong,

    // Full DHCP server.
    PoolExhausted,
    UnknownLease,
    ForeignSubnet,
    NoAnswerNeeded,

    // The socket.
    SendFailed,
    ResponderFault,
}
