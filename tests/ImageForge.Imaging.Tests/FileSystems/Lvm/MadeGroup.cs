using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Tests.Disks;

namespace ImageForge.Imaging.Tests.FileSystems.Lvm;

/// <summary>
/// A volume group on loop devices, made by lvm2 itself. It writes metadata without the kernel's device-mapper if told not to activate;
/// what is in the logical volumes is put there by this class, where lvm2 says their extents lie.
/// </summary>
internal sealed class MadeGroup : IDisposable
{
    private const long ExtentBytes = 1 << 20;

    private readonly LoopDevice[] _disks;

    /// <param name="pvcreate">Further options of pvcreate.</param>
    public MadeGroup(long bytes, string pvcreate = "", int disks = 1, bool group = true)
    {
        _disks = [.. Enumerable.Range(0, disks).Select(_ => new LoopDevice(bytes))];
        try
        {
            foreach (var disk in _disks)
                Run($"pvcreate -y {pvcreate} {disk.Node}");
            if (group)
                Run($"vgcreate -s 1M lab {string.Join(' ', _disks.Select(d => d.Node))}");
        }
        catch
        {
            // Nobody else would detach the loop devices.
            Dispose();
            throw;
        }
    }

    public string Image => _disks[0].File;

    public long Bytes => new FileInfo(Image).Length;

    /// <summary>Runs a command of lvm2 on these disks alone.</summary>
    public string Run(string command)
    {
        var filter = string.Join(',', _disks.Select(d => $"\"a|^{d.Node}$|\""));
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return Shell.Run("lvm", [words[0], "--config",
            $"devices{{use_devicesfile=0 hints=\"none\" filter=[{filter},\"r|.*|\"]}} global{{activation=0 use_lvmpolld=0}} backup{{backup=0 archive=0}} activation{{udev_sync=0 monitoring=0}}",
            .. words[1..]]);
    }

    public void Add(string name, int mebibytes, string options = "") =>
        Run(string.Create(CultureInfo.InvariantCulture, $"lvcreate -y -an -Zn -Wn {options} -n {name} -L {mebibytes}M lab"));

    public void Enlarge(string name, int mebibytes) => Run(string.Create(CultureInfo.InvariantCulture, $"lvextend -L {mebibytes}M lab/{name}"));

    /// <summary>Where lvm2 says that the bytes of a logical volume lie on the first disk, in order.</summary>
    public List<(long Offset, long Length)> PlacesOf(string name)
    {
        var start = long.Parse(Run("pvs --noheadings --nosuffix --units b -o pe_start").Trim(), CultureInfo.InvariantCulture);
        return [.. Run($"lvs --noheadings -o seg_pe_ranges lab/{name}").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(line => line[(line.LastIndexOf(':') + 1)..].Split('-').Select(n => long.Parse(n, CultureInfo.InvariantCulture)).ToArray())
            .Select(range => (start + range[0] * ExtentBytes, (range[^1] - range[0] + 1) * ExtentBytes))];
    }

    public void Put(string name, string image)
    {
        using var from = File.OpenRead(image);
        using var to = File.OpenWrite(Image);
        foreach (var (offset, length) in PlacesOf(name))
        {
            to.Position = offset;
            var bytes = new byte[length];
            from.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            to.Write(bytes);
        }
    }

    /// <summary>The content of a logical volume of a copy of the first disk.</summary>
    public void Extract(string name, string copy, string image)
    {
        using var from = File.OpenRead(copy);
        using var to = File.Create(image);
        foreach (var (offset, length) in PlacesOf(name))
        {
            var bytes = new byte[length];
            from.Position = offset;
            from.ReadExactly(bytes);
            to.Write(bytes);
        }
    }

    public VolumeContent Identify()
    {
        using var disk = ImageFileDevice.OpenForReading(Image);
        return VolumeProbe.Identify(disk, 0, disk.SizeBytes, CancellationToken.None);
    }

    /// <summary>Identifies the first disk with other words in its metadata text; the checksums are right.</summary>
    public VolumeContent IdentifyWith(params (string From, string To)[] words)
    {
        var bytes = File.ReadAllBytes(Image);
        EditText(bytes, text =>
        {
            foreach (var (from, to) in words)
            {
                Assert.Contains(from, text, StringComparison.Ordinal);
                text = text.Replace(from, to, StringComparison.Ordinal);
            }
            return text;
        });
        return VolumeProbe.Identify(MemoryDisk.Of(bytes), 0, bytes.Length, CancellationToken.None);
    }

    /// <summary>Changes the text of the metadata area at byte 4096.</summary>
    public static void EditText(byte[] bytes, Func<string, string> edit)
    {
        const int area = 4096;
        var (start, length) = ((int)bytes.U64(area + 40), (int)bytes.U64(area + 48));
        var text = Encoding.UTF8.GetBytes(edit(Encoding.UTF8.GetString(bytes, area + start, length)));
        text.CopyTo(bytes, area + start);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(area + 48), (ulong)text.Length);
        WriteSums(bytes);
    }

    /// <summary>Makes the checksums of label, metadata area and text right again, as far as they can be found.</summary>
    public static IEnumerable<(int At, uint Sum)> Sums(byte[] bytes)
    {
        const int area = 4096;
        yield return (512 + 16, Crc32.Lvm2(bytes.AsSpan(512 + 20, 492)));
        var (start, length) = (bytes.U64(area + 40), bytes.U64(area + 48));
        if (start < 1 << 20 && length < 1 << 20 && area + (int)start + (int)length <= bytes.Length)
            yield return (area + 56, Crc32.Lvm2(bytes.AsSpan(area + (int)start, (int)length)));
        yield return (area, Crc32.Lvm2(bytes.AsSpan(area + 4, 508)));
    }

    public void Dispose()
    {
        foreach (var disk in _disks)
            disk.Dispose();
    }

    private static void WriteSums(byte[] bytes)
    {
        foreach (var (at, sum) in Sums(bytes))
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), sum);
    }
}
