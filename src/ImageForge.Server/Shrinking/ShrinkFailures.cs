using ImageForge.Contracts;

namespace ImageForge.Server.Shrinking;

internal static class ShrinkFailures
{
    public static FailureException NoSpace => new("storeFull", Fault.Server, "The server's disk is full.", "Free space on it: delete versions nobody needs, then order the smaller version again.");

    public static Failure TooMany { get; } = new("shrinksWaiting", Fault.Server, "Too many smaller versions are being made already.", "Wait until some are done, then order it again.");

    public static FailureException NoRoom(long needed, long free, long reserve, string place) => new("storeFull", Fault.Server,
        $"Making the smaller version needs up to {needed} bytes beside the store; {free} are free at {place} and {reserve} are kept in reserve.", "Free space on that disk, then order it again.");

    public static Failure Stopped { get; } = new("serverStopped", Fault.Server, "The server was stopped while it made the smaller version.", "Order it again.");

    public static Failure Of(Exception e) => e switch
    {
        FailureException failure => failure.Failure,
        OperationCanceledException => Stopped,
        IOException io when ImageStore.DiskFull.Is(io) => NoSpace.Failure,
        Imaging.Disks.DiskException disk => disk.ToFailure() with { Fault = Fault.Server },
        _ => new Failure("unexpected", Fault.Server, "The server ran into a fault of its own while it made the smaller version.", "Look into the server's log for the time of this order."),
    };
}
