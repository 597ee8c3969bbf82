using System.Text;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>pagefile.sys, swapfile.sys and hiberfil.sys on real NTFS: skipped where that is safe, and only there.</summary>
public sealed class NtfsMemoryFilesTests
{
    private const long MiB = 1 << 20;
    private static readonly byte[] s_wake = [.. "WAKE"u8, .. new byte[4092]];

    [Theory]
    [InlineData(24, "-c 512")]
    [InlineData(40, "-c 4096")]
    [InlineData(60, "-c 65536")]
    [InlineData(40, "-s 4096 -c 4096")]
    [InlineData(200, "-c 262144")]
    public void All_three_are_skipped_to_the_cluster(int mebibytes, string options)
    {
        using var volume = MadeVolume.Ntfs(mebibytes * MiB, options, files: 40);
        volume.WithMounted(root =>
        {
            MemoryFiles.WriteInTurns(Path.Combine(root, "pagefile.sys"), MemoryFiles.Content(1, 3_000_001), Path.Combine(root, "neighbour"), new byte[500_000], 16384);
            File.WriteAllBytes(Path.Combine(root, "SwapFile.sys"), MemoryFiles.Content(2, 300_000));
            MemoryFiles.WriteInTurns(Path.Combine(root, "hiberfil.sys"), MemoryFiles.Content(3, 2_000_000, s_wake), Path.Combine(root, "neighbour2"), new byte[700_000], 8192);
        }, "ntfs-3g");
        var ours = volume.Identify();

        Assert.Equal(VolumeState.Clean, ours.State);
        // The last cluster of each file may end unmarked, and the cleared header of the hiberfil is 4096 bytes.
        MemoryFiles.AssertSkipsExactlyTheMarked(volume.ReadAll(), ours, 2 + Math.Max(1, 4096 / ours.BlockSize));
        Assert.Contains("pagefile.sys (3,", ours.Note, StringComparison.Ordinal);
        Assert.Contains("swapfile.sys (", ours.Note, StringComparison.Ordinal);
        Assert.Contains("hiberfil.sys (2,", ours.Note, StringComparison.Ordinal);
        Judges.AssertAgreesWithPartclone(volume, ours, "ntfs", allowedExtra: 2 * ours.BlockSize);
    }

    /// <summary>Only the holes that small files left are free: the runs fill more than one MFT record.</summary>
    [Fact]
    public void A_pagefile_in_hundreds_of_pieces_is_followed_through_its_attribute_list()
    {
        using var volume = MadeVolume.Ntfs(8 * MiB, "-c 512", files: 0);
        volume.WithMounted(root => MemoryFiles.WriteIntoHoles(root, "pagefile.sys", MemoryFiles.Content(1, 800_000)), "ntfs-3g");
        Assert.Contains("$ATTRIBUTE_LIST", Shell.Run("ntfsinfo", "-F", "/pagefile.sys", "-v", volume.Image), StringComparison.Ordinal);
        MemoryFiles.AssertSkipsExactlyTheMarked(volume.ReadAll(), volume.Identify(), 1);
    }

    [Theory]
    [InlineData("hard link")]
    [InlineData("folder of that name")]
    [InlineData("file in another folder")]
    [InlineData("names that differ in case")]
    [InlineData("symbolic link")]
    [InlineData("similar name")]
    [InlineData("small file inside its record")]
    [InlineData("sparse")]
    public void What_only_looks_like_a_pagefile_is_read(string what)
    {
        using var volume = MadeVolume.Ntfs(16 * MiB, "-c 4096", files: 10);
        volume.WithMounted(root =>
        {
            var content = MemoryFiles.Content(1, 200_000);
            var path = Path.Combine(root, "pagefile.sys");
            switch (what)
            {
                case "hard link":
                    File.WriteAllBytes(Path.Combine(root, "precious"), content);
                    Shell.Run("ln", Path.Combine(root, "precious"), path);
                    break;
                case "folder of that name":
                    File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(path).FullName, "inside"), content);
                    break;
                case "file in another folder":
                    File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(Path.Combine(root, "d")).FullName, "pagefile.sys"), content);
                    break;
                case "names that differ in case":
                    File.WriteAllBytes(path, content);
                    File.WriteAllBytes(Path.Combine(root, "PAGEFILE.SYS"), content);
                    break;
                case "symbolic link":
                    File.WriteAllBytes(Path.Combine(root, "precious"), content);
                    Shell.Run("ln", "-s", "precious", path);
                    break;
                case "similar name":
                    File.WriteAllBytes(Path.Combine(root, "pagefile.sys.old"), content);
                    File.WriteAllBytes(Path.Combine(root, "xpagefile.sys"), content);
                    break;
                case "small file inside its record":
                    File.WriteAllBytes(path, content[..200]);
                    break;
                default:
                    using (var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write))
                        RandomAccess.Write(file, content, 1_000_000);
                    break;
            }
        }, "ntfs-3g");
        var ours = volume.Identify();
        Assert.Equal((VolumeState.Clean, null, null), (ours.State, ours.Note, ours.Skipped));
    }

    [Fact]
    public void A_compressed_pagefile_is_read()
    {
        using var volume = MadeVolume.Ntfs(16 * MiB, "-c 4096 -C", files: 0);
        volume.WithMounted(root => File.WriteAllBytes(Path.Combine(root, "pagefile.sys"), Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 100_000)))), "ntfs-3g", "-o", "compression");
        Assert.Contains("Compressed size", Shell.Run("ntfsinfo", "-F", "/pagefile.sys", "-v", volume.Image), StringComparison.Ordinal);
        var ours = volume.Identify();
        Assert.Equal((null, null), (ours.Note, ours.Skipped));
        Judges.AssertAgreesWithPartclone(volume, ours, "ntfs", allowedExtra: 2 * ours.BlockSize);
    }

    [Theory]
    [InlineData("hibr", true, false)]
    [InlineData("HIBR", true, false)]
    [InlineData("RSTR", true, false)]
    [InlineData("wake", false, true)]
    [InlineData("WAKE", false, true)]
    [InlineData("\0\0\0\0", false, true)]
    [InlineData("what", false, false)]
    public void The_header_of_the_hiberfil_tells_whether_windows_is_hibernated(string signature, bool hibernated, bool skipped)
    {
        using var volume = MadeVolume.Ntfs(16 * MiB, "-c 4096", files: 0);
        byte[] header = [.. Encoding.ASCII.GetBytes(signature), .. new byte[4092]];
        volume.WithMounted(root =>
        {
            File.WriteAllBytes(Path.Combine(root, "hiberfil.sys"), MemoryFiles.Content(1, 400_000, header));
            File.WriteAllBytes(Path.Combine(root, "pagefile.sys"), MemoryFiles.Content(2, 100_000));
        }, "ntfs-3g");
        AssertHibernation(volume, hibernated, skipped);
    }

    [Fact]
    public void A_hiberfil_without_a_whole_header_is_the_mark_of_a_hibernated_windows()
    {
        using var volume = MadeVolume.Ntfs(16 * MiB, "-c 4096", files: 0);
        volume.WithMounted(root => File.WriteAllBytes(Path.Combine(root, "hiberfil.sys"), new byte[100]), "ntfs-3g");
        AssertHibernation(volume, hibernated: true, skipped: false);
    }

    private static void AssertHibernation(MadeVolume volume, bool hibernated, bool skipped)
    {
        var ours = volume.Identify();
        Assert.Equal(hibernated ? VolumeState.Hibernated : VolumeState.Clean, ours.State);
        Assert.Equal(skipped, ours.Note?.Contains("hiberfil.sys (", StringComparison.Ordinal) ?? false);
        Assert.Equal(hibernated, ours.Used.CountUsed() == ours.Used.BlockCount);
        // Nothing is skipped that a resumed Windows would want; otherwise the pagefile always is.
        Assert.Equal(hibernated, ours.Skipped is null);
        if (!hibernated)
            Assert.Equal(skipped ? null : "is kept as it is", skipped ? null : ours.Note!.Contains("is kept as it is", StringComparison.Ordinal) ? "is kept as it is" : ours.Note);
    }
}
