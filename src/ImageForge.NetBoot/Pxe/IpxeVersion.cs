using System.Globalization;

namespace ImageForge.NetBoot.Pxe;

/// <summary>The version iPXE tells about itself in sub-option 0xeb of DHCP option 175: three bytes, major minor patch.</summary>
public readonly record struct IpxeVersion(int Major, int Minor, int Patch) : IComparable<IpxeVersion>
{
    public int CompareTo(IpxeVersion other) =>
        (Major, Minor, Patch).CompareTo((other.Major, other.Minor, other.Patch));

    public static bool operator <(IpxeVersion left, IpxeVersion right) => left.CompareTo(right) < 0;
    public static bool operator >(IpxeVersion left, IpxeVersion right) => left.CompareTo(right) > 0;
    public static bool operator <=(IpxeVersion left, IpxeVersion right) => left.CompareTo(right) <= 0;
    public static bool operator >=(IpxeVersion left, IpxeVersion right) => left.CompareTo(right) >= 0;

    /// <summary>Reads "1.21.1", also with Debian's tail ("1.21.1+git20250501.…").</summary>
    public static bool TryParse(string? text, out IpxeVersion version)
    {
        version = default;
        if (text is null)
            return false;
        var length = 0;
        while (length < text.Length && (char.IsAsciiDigit(text[length]) || text[length] == '.'))
            length++;
        var parts = text[..length].Split('.');
        var numbers = new int[3];
        if (parts.Length is 0 or > 3)
            return false;
        for (var i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
                return false;
        }
        version = new IpxeVersion(numbers[0], numbers[1], numbers[2]);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}.{Patch}");
}
