using System.Net;

namespace ImageForge.NetDoctor.Queriers;

internal enum GroupMessageKind { Query, Report, Leave }

/// <summary>One IGMP or MLD message, as far as the doctor needs it.</summary>
/// <param name="Version">1–3 of IGMP, 1–2 of MLD.</param>
/// <param name="Group">Query: the group asked for, null for a general one. Report, leave: the first group named.</param>
/// <param name="MaxResponse">Query: how long members may wait with their answer.</param>
/// <param name="QueryInterval">Query of IGMPv3 or MLDv2: how often it asks.</param>
/// <param name="Groups">Report: groups named.</param>
internal sealed record GroupMessage(GroupMessageKind Kind, int Version, IPAddress? Group, TimeSpan MaxResponse = default, TimeSpan? QueryInterval = null, int Groups = 1);
