namespace ImageForge.NetBoot.Pxe;

/// <summary>
/// What the firmware says it is: DHCP option 93, the numbers of IANA's "Processor Architecture Types" (RFC 4578 §2.1, RFC 5970 §3.3).
/// Unlisted numbers are kept as they are.
/// </summary>
public enum ClientArchitecture : ushort
{
    Bios = 0,
    Ia32 = 6,
    /// <summary>RFC 4578 calls 7 "EFI BC" and 9 "EFI x86-64"; real 64-bit firmware says 7, sometimes 9 (erratum 4625 swaps them).</summary>
    X64 = 7,
    X64Alternate = 9,
    Arm32 = 10,
    Arm64 = 11,
    Ia32Http = 15,
    X64Http = 16,
    Arm32Http = 18,
    Arm64Http = 19,
    BiosHttp = 20,
}

public static class ClientArchitectures
{
    /// <summary>The numbers that ask for a URL instead of a TFTP file name.</summary>
    public static bool IsHttp(this ClientArchitecture architecture) => architecture is
        ClientArchitecture.Ia32Http or ClientArchitecture.X64Http or ClientArchitecture.Arm32Http
        or ClientArchitecture.Arm64Http or ClientArchitecture.BiosHttp;

    /// <summary>The name an administrator reads in a log line.</summary>
    public static string Describe(this ClientArchitecture architecture) => architecture switch
    {
        ClientArchitecture.Bios => "BIOS",
        ClientArchitecture.Ia32 => "UEFI IA32",
        ClientArchitecture.X64 or ClientArchitecture.X64Alternate => "UEFI x64",
        ClientArchitecture.Arm32 => "UEFI ARM32",
        ClientArchitecture.Arm64 => "UEFI ARM64",
        ClientArchitecture.Ia32Http => "UEFI IA32 HTTP",
        ClientArchitecture.X64Http => "UEFI x64 HTTP",
        ClientArchitecture.Arm32Http => "UEFI ARM32 HTTP",
        ClientArchitecture.Arm64Http => "UEFI ARM64 HTTP",
        ClientArchitecture.BiosHttp => "BIOS HTTP",
        _ => $"architecture {(ushort)architecture}",
    };
}
