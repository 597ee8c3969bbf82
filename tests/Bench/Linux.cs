using System.Runtime.Versioning;

// The peers are Linux programs.
[assembly: SupportedOSPlatform("linux")]
