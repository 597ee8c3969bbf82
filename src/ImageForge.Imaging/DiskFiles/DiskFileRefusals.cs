using System.Buffers.Binary;
using System.Text;
using ImageForge.Contracts;

namespace ImageForge.Imaging.DiskFiles;

/// <summary>
/// Disk files that lead to other files. A file from elsewhere could name any file of this machine as its base, and its content would
/// become part of an image: such a file is made whole by its owner first.
/// </summary>
internal static class DiskFileRefusals
{
    /// <exception cref="FailureException"><c>diskFileNotWhole</c>.</exception>
    public static void Check(string path, DiskFileFormat format)
    {
        var head = new byte[64 << 10];
        using var file = File.OpenHandle(path);
        var bytes = head.AsSpan(0, RandomAccess.Read(file, head, 0));
        var leadsTo = format switch
        {
            DiskFileFormat.Qcow2 => Qcow2(bytes),
            DiskFileFormat.Vmdk => Vmdk(bytes),
            _ => null,
        };
        if (leadsTo is not null)
            throw new FailureException("diskFileNotWhole", Fault.Disk, $"{path} is not whole: {leadsTo}.", $"Make it whole first: qemu-img convert -O qcow2 {path} whole.qcow2.");
    }

    /// <summary>docs/interop/qcow2.txt: offset of the backing file's name u64 at 8; version u32 at 4; incompatible features u64 at 72 (version 3), bit 2 = external data file.</summary>
    private static string? Qcow2(ReadOnlySpan<byte> head)
    {
        if (head.Length < 80)
            return "it is cut off";
        if (BinaryPrimitives.ReadUInt64BigEndian(head[8..]) != 0)
            return "it holds only the difference to another file";
        return BinaryPrimitives.ReadUInt32BigEndian(head[4..]) >= 3 && (BinaryPrimitives.ReadUInt64BigEndian(head[72..]) & 4) != 0 ? "its content is in another file" : null;
    }

    /// <summary>VMware "Virtual Disk Format 5.0": a descriptor names its extents; a sparse extent has its descriptor inside. A parent is another file.</summary>
    private static string? Vmdk(ReadOnlySpan<byte> head)
    {
        var isDescriptor = head.StartsWith("# Disk DescriptorFile"u8);
        var text = Encoding.Latin1.GetString(head);
        foreach (var line in text.Split('\n').Select(line => line.Trim('\r', '\0', ' ')))
        {
            if (line.StartsWith("parentCID=", StringComparison.OrdinalIgnoreCase) && !line.EndsWith("ffffffff", StringComparison.OrdinalIgnoreCase))
                return "it holds only the difference to another file";
            // Extents beside the descriptor are its own; a path leads elsewhere.
            if (isDescriptor && line.StartsWith("RW ", StringComparison.Ordinal) | line.StartsWith("RDONLY ", StringComparison.Ordinal)
                && line.IndexOf('"', StringComparison.Ordinal) is >= 0 and var from && line.IndexOf('/', from) >= 0)
                return "its content is in another folder";
        }
        return null;
    }
}
