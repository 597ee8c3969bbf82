namespace ImageForge.NetBoot.Tests.Lab;

/// <summary>A test that makes a network namespace or runs other people's programs; what is missing is named with its cure.</summary>
internal sealed class NeedsRootFact : FactAttribute
{
    public NeedsRootFact(params string[] programs) => Skip = Programs.Missing(programs);
}

/// <summary>As <see cref="NeedsRootFact"/>, with data.</summary>
internal sealed class NeedsRootTheory : TheoryAttribute
{
    public NeedsRootTheory(params string[] programs) => Skip = Programs.Missing(programs);
}

internal static class Programs
{
    /// <summary>Why a test cannot run here, with the cure; null when it can.</summary>
    public static string? Missing(string[] programs) =>
        !Environment.IsPrivilegedProcess ? "makes network namespaces: run as root"
        : programs.FirstOrDefault(program => Find(program) is null) is { } missing ? $"{missing} is missing: apt-get install {Package(missing)}"
        : null;

    private static string? Find(string name) =>
        new[] { "/usr/bin", "/usr/sbin", "/bin", "/sbin" }.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static string Package(string program) => program switch
    {
        "tftp" => "tftp-hpa",
        "ip" => "iproute2",
        "nft" => "nftables",
        "busybox" => "busybox-static",
        "dnsmasq" => "dnsmasq-base",
        "qemu-system-x86_64" => "qemu-system-x86 ovmf ipxe-qemu",
        _ => program,
    };
}
