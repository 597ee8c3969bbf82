using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImageForge.Lab;
using ImageForge.Lab.Machines;

namespace ImageForge.EndToEnd;

/// <summary>
/// What needs a kernel with device-mapper: a machine installed on LVM, and a disk that cannot read some sectors (dm-error). Guests make
/// and judge them; the command line's own engine captures and deploys.
/// </summary>
public sealed class DeviceMapperTests : IDisposable
{
    private const long MiB = 1 << 20;

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(6);
    private static readonly string s_imageforge = Path.Combine(AppContext.BaseDirectory, "imageforge.dll");

    /// <summary>No udev runs in the guest.</summary>
    private const string LvmSettings = """
        export LVM_SYSTEM_DIR=/run/lab-lvm LVM_SUPPRESS_FD_WARNINGS=1 DM_DISABLE_UDEV=1
        mkdir -p /run/lab-lvm
        echo 'activation { udev_sync=0 udev_rules=0 monitoring=0 } devices { obtain_device_list_from_udev=0 external_device_info_source="none" use_devicesfile=0 hints="none" scan="/dev" } backup { backup=0 archive=0 } global { use_lvmpolld=0 }' > /run/lab-lvm/lvm.conf

        """;

    private const string MakeLvm = """
        echo 'type=E6D6D379-F507-44C2-A23C-238F2A3DF928' | sfdisk -q --label gpt /dev/vda
        until [ -b /dev/vda1 ]; do sleep 0.1; done
        pvcreate -y /dev/vda1; vgcreate lab /dev/vda1
        lvcreate -y -Wn -n root -L 64M lab; lvcreate -y -Wn -n swap -L 16M lab; lvextend -y -L 96M lab/root
        mke2fs -q -t ext4 -L root /dev/lab/root; mkswap -q -L Swap -U 6f2c7a10-9b1e-4c3d-8a55-0123456789ab /dev/lab/swap
        mkdir /run/root; mount /dev/lab/root /run/root
        for i in 1 2 3 4 5 6 7 8; do head -c 6000000 /dev/urandom > /run/root/old$i; done; rm /run/root/old[1-5]
        mkdir /run/root/etc; cp /etc/*.conf /etc/passwd /run/root/etc; (cd /run/root; find . -type f ! -name sums -print0 | sort -z | xargs -0 sha256sum > sums)
        dd if=/dev/urandom of=/dev/lab/swap bs=64k seek=1 count=100 status=none
        umount /run/root; vgchange -an lab; lvs -o name,segtype,seg_pe_ranges lab

        """;

    private const string JudgeLvm = """
        vgchange -ay lab
        e2fsck -fn /dev/lab/root
        mkdir /run/root; mount -o ro /dev/lab/root /run/root
        (cd /run/root; sha256sum -c --quiet sums) && echo every file is right
        [ "$(swaplabel /dev/lab/swap | tr -d '\n')" = "LABEL: SwapUUID:  6f2c7a10-9b1e-4c3d-8a55-0123456789ab" ]
        swapon /dev/lab/swap && swapoff /dev/lab/swap
        umount /run/root; vgck lab; pvck /dev/vda1; vgchange -an lab

        """;

    /// <summary>One block of a file is bad, and one that nothing uses.</summary>
    private const string CaptureBad = """
        block=$(debugfs -R 'bmap /victim 300' /dev/vdb1 2> /dev/null); free=$(dumpe2fs /dev/vdb1 2> /dev/null | sed -n 's/.*Free blocks: .*[^0-9]\([0-9]*\)$/\1/p' | tail -n 1)
        bad=$((2048 + block * 8)); unused=$((2048 + free * 8)); end=$(blockdev --getsz /dev/vdb)
        echo "bad sector $bad"; echo "unused bad sector $unused"; [ "$unused" -gt "$bad" ]
        dmsetup create --readonly bad << EOF
        0 $bad linear /dev/vdb 0
        $bad 8 error
        $((bad + 8)) $((unused - bad - 8)) linear /dev/vdb $((bad + 8))
        $unused 8 error
        $((unused + 8)) $((end - unused - 8)) linear /dev/vdb $((unused + 8))
        EOF
        ! dd if=/dev/mapper/bad of=/dev/null bs=4096 skip=$((bad / 8)) count=1 status=none
        status=0; IMAGEFORGE disk capture /dev/mapper/bad --image strict --store /mnt/guest-store || status=$?
        echo "strict capture ended with $status"
        IMAGEFORGE disk capture /dev/mapper/bad --image damaged --store /mnt/guest-store --allow-read-errors

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("if-dm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_machine_on_lvm_comes_back_and_a_disk_with_bad_sectors_gives_a_damaged_image()
    {
        var (lvm, bad, store) = (Blank("lvm.img", 256), await BadDiskAsync(), Path.Combine(_folder, "store"));
        var made = await HostRootGuest.RunAsync(_folder, LvmSettings + MakeLvm + CaptureBad.Replace("IMAGEFORGE", $"dotnet {s_imageforge}", StringComparison.Ordinal), s_limit, lvm, bad);
        await JudgeLvmAsync(lvm, store);
        await JudgeDamagedAsync(made, bad);
    }

    private async Task JudgeLvmAsync(string lvm, string store)
    {
        var volume = JsonNode.Parse(await ImageForgeAsync("disk", "show", lvm, "--output", "json"))!["partitions"]![0]!;
        Assert.Equal("lvm", (string?)volume["fileSystem"]);
        Assert.StartsWith("LVM volume group lab: root (ext4 \"root\"), swap (swap \"Swap\"), ", (string?)volume["note"], StringComparison.Ordinal);
        // Metadata 1 MiB, swap's page, and what ext4 uses of its 96 MiB.
        Assert.InRange((long)volume["usedBytes"]!, 20 * MiB, 70 * MiB);
        var captured = await ImageForgeAsync("disk", "capture", lvm, "--image", "lvm", "--store", store);
        Measured.Write("LVM disk of 256 MiB", $"{captured.Trim()}");
        var target = Blank("target.img", 256, 0xFF);
        await ImageForgeAsync("disk", "deploy", "lvm", target, "--store", store, "--yes");
        Assert.Contains("every file is right", await HostRootGuest.RunAsync(_folder, LvmSettings + JudgeLvm, s_limit, target), StringComparison.Ordinal);
    }

    /// <summary>The guest's own capture, deployed here onto a disk full of 0xFF: only the listed sectors differ, and they are zero.</summary>
    private async Task JudgeDamagedAsync(string made, string bad)
    {
        var sector = long.Parse(Regex.Match(made, "^bad sector (\\d+)$", RegexOptions.Multiline).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"8 used sectors of /dev/mapper/bad cannot be read (volume 1: {sector} to {sector + 7})"), made, StringComparison.Ordinal);
        Assert.Contains("strict capture ended with 1", made, StringComparison.Ordinal);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"Volume 1 is damaged: 4096 bytes in use could not be read from the source disk and are zeros (its sectors {sector} to {sector + 7})."), made, StringComparison.Ordinal);

        var target = Blank("from-damaged.img", 96, 0xFF);
        await ImageForgeAsync("disk", "deploy", "damaged", target, "--store", Path.Combine(_folder, "guest-store"), "--yes");
        await Command.RunAsync("sh", "-c", "dd if=\"$1\" of=\"$1.ext4\" bs=1M skip=1 status=none && e2fsck -fn \"$1.ext4\"", "sh", target);
        var (source, restored) = (await DumpAsync(bad), await DumpAsync(target));
        for (var i = 0; i < source.Count; i++)
            if (source[i].Name != "victim")
                Assert.True(source[i].Bytes.AsSpan().SequenceEqual(restored[i].Bytes), source[i].Name);
        var (before, after) = (source.Single(f => f.Name == "victim").Bytes, restored.Single(f => f.Name == "victim").Bytes);
        Assert.Equal(before.Length, after.Length);
        var first = before.AsSpan().CommonPrefixLength(after);
        before.AsSpan(first - first % 4096, 4096).Clear();
        Assert.True(before.AsSpan().SequenceEqual(after), "more than the unreadable block differs");
    }

    /// <summary>A GPT disk with an ext4 of some files, one of which lies where sectors will be bad.</summary>
    private async Task<string> BadDiskAsync()
    {
        var (image, root) = (Blank("bad.img", 96), Directory.CreateDirectory(Path.Combine(_folder, "root")).FullName);
        var random = new Random(9);
        foreach (var name in (string[])["a", "b", "victim", "c"])
        {
            var bytes = new byte[3 << 20];
            random.NextBytes(bytes);
            await File.WriteAllBytesAsync(Path.Combine(root, name), bytes);
        }
        await Command.RunAsync("sh", "-c", "echo 'start=2048, size=192512' | sfdisk -q --label gpt \"$1\"", "sh", image);
        await Command.RunAsync("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-d", root, "-E", $"offset={MiB}", image, "94M");
        return image;
    }

    private static async Task<List<(string Name, byte[] Bytes)>> DumpAsync(string disk)
    {
        var folder = Directory.CreateDirectory(disk + ".files").FullName;
        await Command.RunAsync("debugfs", "-R", $"rdump / {folder}", $"{disk}?offset={MiB}");
        return [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f => (Path.GetFileName(f), File.ReadAllBytes(f)))];
    }

    private string Blank(string name, int mebibytes, byte fill = 0)
    {
        var path = Path.Combine(_folder, name);
        using var file = File.Create(path);
        file.SetLength(mebibytes * MiB);
        var page = Enumerable.Repeat(fill, (int)MiB).ToArray();
        for (var i = 0; fill != 0 && i < mebibytes; i++)
            file.Write(page);
        return path;
    }

    private static Task<string> ImageForgeAsync(params string[] arguments) => Command.RunAsync("dotnet", [s_imageforge, .. arguments]);
}
