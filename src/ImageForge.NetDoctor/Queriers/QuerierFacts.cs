namespace ImageForge.NetDoctor.Queriers;

/// <summary>What is known about the queriers of one interface's segment.</summary>
/// <param name="Listened">How long.</param>
/// <param name="Provoked">A group was joined and left, so a querier had a reason to ask at once.</param>
/// <param name="SnoopingSeen">Between two chosen interfaces a switch held back a group that nobody had joined; null: not tried.</param>
internal sealed record QuerierFacts(
    string Interface, TimeSpan Listened, IReadOnlyList<HeardQuery> Queries, bool Provoked, BridgeState? Bridge, bool HasV6, bool UsesV6, bool? SnoopingSeen);
