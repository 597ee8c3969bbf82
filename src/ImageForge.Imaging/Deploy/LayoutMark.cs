using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Deploy;

/// <summary>
/// A number that tells one way to lay an image out from another, for the resume record: content that was put at other places must not
/// be taken for a beginning of this deploy. 0 stands for the image's own layout and is never returned here.
/// </summary>
internal static class LayoutMark
{
    public static uint Of(string mode, IEnumerable<Partition> places)
    {
        var text = new StringBuilder(mode);
        foreach (var place in places)
            text.Append(CultureInfo.InvariantCulture, $" {place.Number}:{place.Offset}+{place.Length}");
        return Math.Max(1, BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.ASCII.GetBytes(text.ToString()))));
    }
}
