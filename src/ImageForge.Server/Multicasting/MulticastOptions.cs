namespace ImageForge.Server.Multicasting;

/// <summary>Section <c>ImageForge:Multicast</c>: times that only tests and slow emulated machines change. What people choose is in <see cref="MulticastSettings"/>.</summary>
internal sealed class MulticastOptions
{
    public const string Section = "ImageForge:Multicast";

    /// <summary>A sender without machines ends after this long: one that restarts or loses its connection comes back within it.</summary>
    public double LingerSeconds { get; set; } = 30;

    /// <summary>How often sessions are looked after.</summary>
    public double TickSeconds { get; set; } = 1;

    /// <summary>How long machines have to say goodbye to a session that is stopped.</summary>
    public double FarewellSeconds { get; set; } = 5;

    public TimeSpan Linger => TimeSpan.FromSeconds(LingerSeconds);

    public TimeSpan FarewellTime => TimeSpan.FromSeconds(FarewellSeconds);
}
