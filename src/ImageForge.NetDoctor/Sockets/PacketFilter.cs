using System.Runtime.InteropServices;

namespace ImageForge.NetDoctor.Sockets;

/// <summary>One instruction of a classic packet filter (struct sock_filter, linux/filter.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FilterStep(ushort Code, byte True, byte False, uint Value);

/// <summary>
/// What the kernel hands us of all that passes an interface: IGMP, ICMPv6 and IPv6 with options, UDP to the ports given. A
/// multicast session at full speed on the same interface costs nothing then. Offsets count from the network header.
/// </summary>
internal static class PacketFilter
{
    private const ushort LoadByte = 0x30, LoadHalf = 0x28, LoadHalfAtX = 0x48, HeaderLengthToX = 0xB1, Equal = 0x15, AnyBit = 0x45, Return = 0x06;
    // SKF_AD_OFF + SKF_AD_PROTOCOL: the EtherType, also where the link header is cut off.
    private const uint EtherType = 0xFFFFF000;
    private const int FirstPort = 13;

    public static FilterStep[] For(params ReadOnlySpan<ushort> udpPorts)
    {
        int accept = FirstPort + udpPorts.Length, reject = accept + 1;
        var steps = new List<FilterStep>(reject + 1);
        void Do(ushort code, uint value) => steps.Add(new(code, 0, 0, value));
        // A jump counts from the next step.
        void If(ushort code, uint value, int then, int otherwise) => steps.Add(new(code, (byte)(then - steps.Count - 1), (byte)(otherwise - steps.Count - 1), value));

        Do(LoadHalf, EtherType);                // 0
        If(Equal, 0x0800, 6, 2);                // 1 IPv4
        If(Equal, 0x86DD, 3, reject);           // 2 IPv6
        Do(LoadByte, 6);                        // 3 next header
        If(Equal, 0, accept, 5);                // 4 hop-by-hop, as MLD has it
        If(Equal, 58, accept, reject);          // 5 ICMPv6
        Do(LoadByte, 9);                        // 6 protocol
        If(Equal, 2, accept, 8);                // 7 IGMP
        If(Equal, 17, 9, reject);               // 8 UDP
        Do(LoadHalf, 6);                        // 9 fragment offset
        If(AnyBit, 0x1FFF, reject, 11);         // 10 a later fragment has no ports
        Do(HeaderLengthToX, 0);                 // 11
        Do(LoadHalfAtX, 2);                     // 12 destination port
        for (var i = 0; i < udpPorts.Length; i++)
            If(Equal, udpPorts[i], accept, i == udpPorts.Length - 1 ? reject : FirstPort + i + 1);
        Do(Return, 4096);
        Do(Return, 0);
        return [.. steps];
    }
}
