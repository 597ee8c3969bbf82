using System.Net;

namespace ImageForge.NetDoctor.Queriers;

/// <param name="After">Since listening began.</param>
/// <param name="ByThisMachine">It left by the interface instead of arriving there.</param>
internal sealed record HeardQuery(IPAddress Source, bool IsV6, GroupMessage Message, TimeSpan After, bool ByThisMachine);
