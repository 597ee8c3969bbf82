namespace ImageForge.Multicast.Tests.Simulation;

/// <summary>Who is in a simulated room and how much they get.</summary>
internal sealed record RoomPlan(string What, int Chunks, IReadOnlyList<MemberTraits> Members)
{
    private readonly Lazy<Room> _result = new(() => new Room(SimulatedRooms.Seed, Chunks, Members).Run());

    /// <summary>The room when everybody has ended; lived through once for all tests, because it is the same each time.</summary>
    public Room Result => _result.Value;
}

/// <summary>The rooms of the table in src/ImageForge.Multicast/README.md.</summary>
internal static class SimulatedRooms
{
    public const int Seed = 4;

    /// <summary>Bytes per second of a disk that takes a quarter of the wire.</summary>
    private const double QuarterDisk = Room.PacketsPerSecond * Room.FragmentBytes / 4.0;

    private static readonly IReadOnlyList<MemberTraits> s_good = [.. Same(8, new MemberTraits(Loss: 0.003))];

    public static RoomPlan FourClean { get; } = new("4 without loss", 400, [.. Same(4, new MemberTraits())]);

    public static RoomPlan FourLosing { get; } = new("4 that lose 1 %", 400, [.. Same(4, new MemberTraits(Loss: 0.01))]);

    public static RoomPlan EightGood { get; } = new("8 good ones that lose 0.3 %", 2000, s_good);

    public static RoomPlan Lossy { get; } = new("8 good, one that loses 100 %, two 20 %, 5 %, 2 %", 2000, [.. s_good, new(Loss: 1), new(Loss: 0.2), new(Loss: 0.2), new(Loss: 0.05), new(Loss: 0.02)]);

    public static RoomPlan Pausing { get; } = new("8 good, one pauses for a minute", 2000, [.. s_good, new(PauseAt: 1.5, PauseFor: 60)]);

    public static RoomPlan Late { get; } = new("8 good, one comes at 50 %, one at 90 %", 2000, [.. s_good, new(JoinAt: 0.5), new(JoinAt: 0.9)]);

    public static RoomPlan LateBesideLossy { get; } = new("one that loses 5 %, one comes at 90 %", 1000, [new(Loss: 0.05), new(JoinAt: 0.9)]);

    public static RoomPlan SlowDisk { get; } = new("8 good, one with a quarter-speed disk", 2000, [.. s_good, new(Disk: QuarterDisk)]);

    public static RoomPlan Rebooted { get; } = new("8 good, one switched off and booted again", 2000, [.. s_good, new(DieAt: 2, BackAfter: 5)]);

    public static RoomPlan FarAway { get; } = new("8 that lose 1 %, feedback late by 20–50 ms", 2000, [.. Same(8, new MemberTraits(Loss: 0.01, Delay: 0.02, Jitter: 0.03))]);

    public static RoomPlan HallClean { get; } = new("500 without loss", 400, [.. Same(500, new MemberTraits())]);

    public static RoomPlan HallLosing { get; } = new("500 that lose 1 %", 400, [.. Same(500, new MemberTraits(Loss: 0.01))]);

    public static RoomPlan HallMixed { get; } = new("500: 400 lose 0.2 %, 60 1 %, 20 5 %, 10 20 %, one 100 %, 9 slow disks", 400,
        [.. Same(400, new MemberTraits(Loss: 0.002)), .. Same(60, new MemberTraits(Loss: 0.01)), .. Same(20, new MemberTraits(Loss: 0.05)), .. Same(10, new MemberTraits(Loss: 0.2)), new(Loss: 1), .. Same(9, new MemberTraits(Disk: QuarterDisk))]);

    public static IReadOnlyList<RoomPlan> All { get; } = [FourClean, FourLosing, EightGood, Lossy, Pausing, Late, LateBesideLossy, SlowDisk, Rebooted, FarAway, HallClean, HallLosing, HallMixed];

    public static RoomPlan ByName(string name) => (RoomPlan)typeof(SimulatedRooms).GetProperty(name)!.GetValue(null)!;

    public static IEnumerable<MemberTraits> Same(int count, MemberTraits traits) => Enumerable.Repeat(traits, count);
}
