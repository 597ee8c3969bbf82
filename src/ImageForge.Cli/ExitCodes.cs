using ImageForge.Contracts;

namespace ImageForge.Cli;

/// <summary>What scripts see.</summary>
internal static class ExitCodes
{
    public const int Ok = 0, Failed = 1, Usage = 2, CannotReach = 3, NotPermitted = 4, JobFailed = 5;

    public static int Of(Failure failure) => failure switch
    {
        { Code: "diskDenied" or "storeDenied" or "notPermitted" or "notConfirmed" } => NotPermitted,
        { Fault: Fault.Network } => CannotReach,
        _ => Failed,
    };
}
