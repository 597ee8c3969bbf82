// Namespaces, FUSE, loop devices: these tests run on Linux.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
