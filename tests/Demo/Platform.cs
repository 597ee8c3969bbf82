// Namespaces, FUSE, loop devices: the lab is a Linux program.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
