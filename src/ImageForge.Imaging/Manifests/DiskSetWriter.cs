using System.Security.Cryptography;
using System.Text;

namespace ImageForge.Imaging.Manifests;

/// <summary>Puts the manifests of a machine's disks into one file. The same disks always give the same bytes.</summary>
public static class DiskSetWriter
{
    /// <param name="disks">At least two: the serial, for people, and the manifest file of each, in order.</param>
    /// <exception cref="ArgumentException">One disk is its manifest alone; more than 32 are refused.</exception>
    public static byte[] Write(IReadOnlyList<(string? Serial, byte[] Manifest)> disks)
    {
        if (disks.Count is < 2 or > DiskSetFormat.MaxDisks)
            throw new ArgumentException($"a set has 2 to {DiskSetFormat.MaxDisks} disks, not {disks.Count}", nameof(disks));
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(DiskSetFormat.Magic);
            writer.Write(DiskSetFormat.Version);
            writer.Write((ushort)disks.Count);
            writer.Write(0);
            foreach (var (serial, manifest) in disks)
            {
                ManifestWriter.Text(writer, serial);
                writer.Write(manifest.Length);
                writer.Write(manifest);
            }
        }
        var file = new byte[stream.Length + DiskSetFormat.TrailerBytes];
        stream.GetBuffer().AsSpan(0, (int)stream.Length).CopyTo(file);
        SHA256.HashData(file.AsSpan(0, (int)stream.Length), file.AsSpan((int)stream.Length));
        return file;
    }
}
