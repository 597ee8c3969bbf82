using System.Net;

namespace ImageForge.Multicast;

/// <summary>Where the packets of a session go: a group of 239/8 or ff15:: and a UDP port.</summary>
public sealed record GroupEndpoint(IPAddress Group, int Port);
