using System.Net;
using ImageForge.NetDoctor.Findings;
using ImageForge.NetDoctor.Ports;

namespace ImageForge.NetDoctor;

/// <summary>The ports of this machine: who holds them, and whether they answer at the interface's own address.</summary>
internal static class MachinePorts
{
    public static async Task<IReadOnlyList<Finding>> LookAsync(DoctorOrder order, IPAddress? own, TimeProvider time, CancellationToken cancellationToken)
    {
        var plan = order.Multicast;
        bool IsRange(BoundSocket s) => s.Transport == "udp" && s.Port >= plan.FirstPort && s.Port <= plan.LastPort;
        var sockets = SocketTable.Read().Where(s => IsRange(s) || order.Ports.Any(p => p.Transport == s.Transport && p.Number == s.Port)).ToList();
        var owners = SocketOwners.Find(sockets.Select(static s => s.Inode).ToHashSet(), order.ServerProcess);
        PortHolder Holder(BoundSocket socket) => new(socket, owners.GetValueOrDefault(socket.Inode));

        var findings = new List<Finding>();
        foreach (var port in order.Ports)
        {
            var holders = sockets.Where(s => s.Transport == port.Transport && s.Port == port.Number).Select(Holder).ToList();
            var ask = own is not null && holders.Exists(static h => h.Owner is { IsImageForge: true });
            SelfAnswer? answer = !ask ? null : port switch
            {
                { Transport: "tcp" } => await SelfProbe.TcpAsync(own!, port.Number, time, cancellationToken),
                { Number: 69 } => await SelfProbe.TftpAsync(own!, port.Number, time, cancellationToken),
                // 67 and 4011 are asked by broadcast, with the other DHCP servers.
                _ => null,
            };
            findings.AddRange(PortCheck.Judge(new PortFacts(port, holders, answer)));
        }
        findings.Add(PortCheck.JudgeRange(plan.FirstPort, plan.LastPort, [.. sockets.Where(IsRange).Select(Holder)]));
        return findings;
    }
}
