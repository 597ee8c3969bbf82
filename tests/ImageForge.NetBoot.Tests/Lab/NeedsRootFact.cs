namespace ImageForge.NetBoot.Tests.Lab;

/// <summary>A test that makes a network namespace or runs other people's programs; what is missing is named with its cure.</summary>
internal sealed class NeedsRootFact : FactAttribute
{
    public NeedsRootFact(params string[] programs)
    {
        if (!Environment.IsPrivilegedProcess)
            Skip = "makes network namespaces: run as root";
        foreach (var program in programs.Where(p => Programs.Find(p) is null))
            Skip = $"{program} is missing: apt-get install {Programs.Package(program)}";
    }
}

internal static class Programs
{
    public static string? Find(string name) =>
        new[] { "/usr/bin", "/usr/sbin", "/bin", "/sbin" }.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    public static string Package(string program) => program switch
    {
        "tftp" => "tftp-hpa",
        "ip" => "iproute2",
        "nft" => "nftables",
        "busybox" => "busybox-static",
        "dnsmasq" => "dnsmasq-base",
        _ => program,
    };
}
