namespace ImageForge.Multicast.Messages;

/// <summary>First byte of a message: below 16 from members, above from the sender.</summary>
internal enum MessageType : byte
{
    Join = 1,
    Report = 2,
    Nack = 3,
    Lack = 4,
    Leave = 5,
    Welcome = 16,
    Step = 17,
    PassEnd = 18,
    Finish = 19,
    Waiting = 20,
}

internal enum LeaveReason : byte
{
    Complete = 0,
    OverHttp = 1,
    NothingHeard = 2,
    Stopped = 3,
}

internal enum FinishReason : byte
{
    NothingLeft = 0,
    OverHttp = 1,
    Stopped = 2,
}
