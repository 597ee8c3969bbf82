using System.Buffers.Binary;

namespace ImageForge.Imaging.DiskFiles;

/// <summary>How a file holds a disk.</summary>
public enum DiskFileFormat { Raw, Qcow2, Vmdk, Vhdx, Vhd, Vdi }

/// <summary>Recognises disk files by their content, and chooses a format for a new one by its name.</summary>
public static class DiskFileFormats
{
    /// <summary>Bytes from the start of a file that tell its format.</summary>
    internal const int HeadBytes = 512;

    /// <summary>As qemu calls it (<c>qemu-img --help</c>, supported formats).</summary>
    public static string QemuName(DiskFileFormat format) => format switch
    {
        DiskFileFormat.Qcow2 => "qcow2",
        DiskFileFormat.Vmdk => "vmdk",
        DiskFileFormat.Vhdx => "vhdx",
        DiskFileFormat.Vhd => "vpc",
        DiskFileFormat.Vdi => "vdi",
        _ => "raw",
    };

    public static DiskFileFormat FromName(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".qcow2" => DiskFileFormat.Qcow2,
        ".vmdk" => DiskFileFormat.Vmdk,
        ".vhdx" => DiskFileFormat.Vhdx,
        ".vhd" => DiskFileFormat.Vhd,
        ".vdi" => DiskFileFormat.Vdi,
        _ => DiskFileFormat.Raw,
    };

    /// <summary>
    /// Magics: qcow2 <c>QFI\xFB</c> (docs/interop/qcow2.txt), VMDK <c>KDMV</c> or a text descriptor (VMware "Virtual Disk Format 5.0"),
    /// VHDX <c>vhdxfile</c> (MS-VHDX §2.2.1), VHD <c>conectix</c> (copy of the footer of dynamic disks), VDI 0xBEDA107F at byte 64.
    /// </summary>
    public static DiskFileFormat Recognise(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("QFI\xFB"u8[..3]) && head.Length > 3 && head[3] == 0xFB)
            return DiskFileFormat.Qcow2;
        if (head.StartsWith("KDMV"u8) || head.StartsWith("# Disk DescriptorFile"u8))
            return DiskFileFormat.Vmdk;
        if (head.StartsWith("vhdxfile"u8))
            return DiskFileFormat.Vhdx;
        if (head.StartsWith("conectix"u8))
            return DiskFileFormat.Vhd;
        if (head.Length >= 68 && BinaryPrimitives.ReadUInt32LittleEndian(head[64..]) == 0xBEDA107F)
            return DiskFileFormat.Vdi;
        return DiskFileFormat.Raw;
    }
}
