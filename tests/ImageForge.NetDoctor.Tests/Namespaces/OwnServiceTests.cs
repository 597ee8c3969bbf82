using System.Net;
using ImageForge.Lab.Networks;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.ProxyDhcp;
using ImageForge.NetDoctor.DhcpServers;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Tests.Namespaces;

/// <summary>Our own proxyDHCP on the machine the doctor runs on, bound to the interface as the server binds it.</summary>
public sealed class OwnServiceTests
{
    [NeedsRootFact]
    public async Task Our_own_proxy_dhcp_is_asked_on_both_ports_and_called_ours()
    {
        await using var network = await LabNetwork.CreateAsync();
        var responder = new ProxyDhcpResponder(new BootPolicy(_ => new BootFile("ours.efi")));
        var listeners = ((int[])[67, 4011]).Select(port => new DhcpListener(new DhcpListenerOptions("eth0", IPAddress.Parse(LabNetwork.ServerAddress), port), responder, _ => { })).ToList();
        // A socket belongs for ever to the namespace its thread was in.
        NamespaceThread.Run(network.Server, () => listeners.ForEach(l => l.Start()));
        try
        {
            var run = await DoctorRun.InAsync(network.Server, "-i", "eth0");
            Assert.Contains("ours.efi", run.Has(Severity.Fine, "ourDhcp").Measured, StringComparison.Ordinal);
            run.HasNot("otherProxyDhcp");
            run.HasNot("otherBootServer");
            Assert.True(run.Answer(LabNetwork.ServerAddress, AskedAs.Uefi) is { Ours: true, Kind: AnswerKind.ProxyDhcp });
            Assert.True(run.Answer(LabNetwork.ServerAddress, AskedAs.BootServer) is { Ours: true, BootFile: "ours.efi" });
            // It gives no addresses, and nobody else does.
            run.Has(Severity.Warning, "noDhcpServer");

            // The same service seen from another machine is somebody else's, unless the server is named.
            var stranger = await network.AddClientAsync("stranger", "10.77.0.30");
            (await DoctorRun.InAsync(stranger, "-i", "eth0")).Has(Severity.Problem, "otherProxyDhcp");
            (await DoctorRun.InAsync(stranger, "-i", "eth0", "--server", LabNetwork.ServerAddress)).Has(Severity.Fine, "ourDhcp");
        }
        finally
        {
            foreach (var listener in listeners)
                await listener.DisposeAsync();
        }
    }
}
