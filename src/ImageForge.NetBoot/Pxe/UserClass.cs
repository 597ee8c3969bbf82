using System.Text;

namespace ImageForge.NetBoot.Pxe;

/// <summary>
/// DHCP option 77. RFC 3004 §4 makes it a list of length-prefixed names; iPXE (as gPXE and most DHCP configurations
/// that match on it) sends the plain text instead. Both are read.
/// </summary>
internal static class UserClass
{
    public static bool Contains(ReadOnlySpan<byte> option, string name)
    {
        Span<byte> wanted = stackalloc byte[Encoding.ASCII.GetByteCount(name)];
        Encoding.ASCII.GetBytes(name, wanted);
        if (option.SequenceEqual(wanted))
            return true;
        while (option.Length > 1)
        {
            var length = option[0];
            if (length == 0 || length > option.Length - 1)
                return false;
            if (option.Slice(1, length).SequenceEqual(wanted))
                return true;
            option = option[(1 + length)..];
        }
        return false;
    }
}
