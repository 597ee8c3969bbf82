// forge is a Linux script.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
