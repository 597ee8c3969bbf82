using System.Text.Json.Serialization;
using ImageForge.Contracts;

namespace ImageForge.NetDoctor.DhcpServers;

[JsonConverter(typeof(CamelCaseEnumConverter<AnswerKind>))]
public enum AnswerKind
{
    /// <summary>Gives addresses.</summary>
    Dhcp,

    /// <summary>Gives only a boot file, beside another server's address.</summary>
    ProxyDhcp,

    /// <summary>Answers on port 4011.</summary>
    BootServer,
}

/// <summary>What one server said to one question. Texts are printable ASCII, addresses dotted; null: not in the answer.</summary>
/// <param name="Server">Option 54, else where the packet came from.</param>
/// <param name="From">Where the packet came from.</param>
/// <param name="Ours">An address of the ImageForge server.</param>
/// <param name="NextServer">siaddr.</param>
/// <param name="BootFile">The header's file, else option 67.</param>
/// <param name="TftpServer">Option 66, else the header's sname.</param>
/// <param name="VendorClass">Option 60.</param>
/// <param name="VendorOptions">Option 43, in hexadecimal digits.</param>
public sealed record DhcpAnswer(
    string Interface, AskedAs Asked, AnswerKind Kind, string Server, string From, string? FromMac, bool Ours,
    string? OfferedAddress, string? SubnetMask, string? Router, string? NextServer, string? BootFile, string? TftpServer, string? VendorClass, string? VendorOptions);
