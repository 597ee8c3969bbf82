using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using ImageForge.Contracts;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.Pxe;

namespace ImageForge.NetDoctor.DhcpServers;

/// <summary>As whom the doctor asks.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<AskedAs>))]
public enum AskedAs
{
    /// <summary>An ordinary machine that wants an address.</summary>
    Plain,

    /// <summary>The network ROM of a BIOS machine.</summary>
    Bios,

    /// <summary>UEFI firmware, x86-64.</summary>
    Uefi,

    /// <summary>UEFI firmware, the second time: on port 4011.</summary>
    BootServer,
}

/// <summary>
/// The packets the doctor asks with. It only ever discovers: no REQUEST goes to port 67, so no server gives a lease away. What goes to port
/// 4011 is a REQUEST by its type, but PXE's question for a boot file (PXE 2.1 §2.2.4), which grants no address.
/// </summary>
internal sealed class DhcpQuestions
{
    private readonly uint _firstId = BinaryPrimitives.ReadUInt32LittleEndian(RandomNumberGenerator.GetBytes(4)) & ~3u;

    private static readonly byte[] s_wanted =
    [
        (byte)DhcpOptionCode.SubnetMask, (byte)DhcpOptionCode.Router, (byte)DhcpOptionCode.DomainNameServer, (byte)DhcpOptionCode.VendorSpecific,
        (byte)DhcpOptionCode.LeaseTime, (byte)DhcpOptionCode.ServerIdentifier, (byte)DhcpOptionCode.VendorClass, (byte)DhcpOptionCode.TftpServerName, (byte)DhcpOptionCode.BootFileName,
    ];

    public byte[] Discover(AskedAs who) => DhcpPacketWriter.Write(Ask(DhcpMessageType.Discover, who, IPAddress.Any));

    public byte[] AskBootServer(IPAddress ownAddress) => DhcpPacketWriter.Write(Ask(DhcpMessageType.Request, AskedAs.BootServer, ownAddress));

    /// <summary>Which question a packet answers; null: none of ours.</summary>
    public AskedAs? AnswersTo(DhcpPacket packet) =>
        packet.Operation == 2 && packet.Mac == NetworkDoctor.TestMac && (packet.TransactionId & ~3u) == _firstId ? (AskedAs)(packet.TransactionId & 3) : null;

    private DhcpPacket Ask(DhcpMessageType type, AskedAs who, IPAddress ownAddress)
    {
        var options = new DhcpOptions();
        options.Set(DhcpOptionCode.MaxMessageSize, [0x05, 0xC0]);
        options.Set(DhcpOptionCode.ParameterRequestList, s_wanted);
        if (who != AskedAs.Plain)
        {
            var architecture = who == AskedAs.Bios ? ClientArchitecture.Bios : ClientArchitecture.X64;
            options.Set(DhcpOptionCode.VendorClass, $"PXEClient:Arch:{(ushort)architecture:00000}:UNDI:003000");
            options.Set(DhcpOptionCode.ClientArchitecture, [0, (byte)architecture]);
            options.Set(DhcpOptionCode.NetworkInterfaceIdentifier, [1, 3, 0]);
            // Type 0, then a UUID (RFC 4578 §2.3); ours says IFDoc at its end, as the MAC does.
            options.Set(DhcpOptionCode.ClientMachineIdentifier, [0, .. new byte[10], 0x02, 0x49, 0x46, 0x44, 0x6F, 0x63]);
        }
        return new DhcpPacket
        {
            Operation = 1,
            Type = type,
            Mac = NetworkDoctor.TestMac,
            TransactionId = _firstId | (uint)who,
            Seconds = 4,
            // The answer must come as a broadcast: the test MAC is no card's.
            Flags = (ushort)(who == AskedAs.BootServer ? 0 : 0x8000),
            ClientAddress = ownAddress,
            Options = options,
        };
    }
}
