using System.Text;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems.Lvm;

/// <summary>Physical volumes whose logical volumes share blocks, or whose metadata does not tell: every block is taken, and the note says why.</summary>
public sealed class LvmFallbackTests
{
    private const int MiB = 1 << 20;

    [Theory]
    [InlineData("type = \"striped\"", "type = \"thin-pool\"", "root: thin-pool")]
    [InlineData("type = \"striped\"", "type = \"raid1\"", "root: raid1")]
    [InlineData("type = \"striped\"", "type = \"snapshot\"", "root: snapshot")]
    [InlineData("type = \"striped\"", "type = \"cache\"", "root: cache")]
    [InlineData("type = \"striped\"", "type = \"vdo\"", "root: vdo")]
    [InlineData("type = \"striped\"", "type = \"mirror\"", "root: mirror")]
    [InlineData("stripe_count = 1", "stripe_count = 2", "root: striped")]
    [InlineData(", \"VISIBLE\"]", "]", "root: internal")]
    [InlineData(", \"VISIBLE\"]", ", \"VISIBLE\", \"PVMOVE\"]", "root: pvmove")]
    [InlineData("segment_count = 1", "segment_count = 2", "root: incomplete")]
    [InlineData("[\"ALLOCATABLE\"]", "[\"ALLOCATABLE\", \"MISSING\"]", "calls this physical volume missing")]
    public void What_is_not_linear_is_named(string from, string to, string note)
    {
        using var group = new MadeGroup(20 * MiB);
        group.Add("root", 4);
        LvmUsedMapTests.AssertTakenWhole(group.IdentifyWith((from, to)), note);
    }

    [Fact]
    public void A_group_on_two_disks_is_not_looked_into()
    {
        using var group = new MadeGroup(20 * MiB, disks: 2);
        group.Add("root", 4);
        LvmUsedMapTests.AssertTakenWhole(group.Identify(), "LVM volume group lab lies on 2 physical volumes");
    }

    [Fact]
    public void A_striped_volume_of_lvm2_itself_is_not_looked_into()
    {
        using var group = new MadeGroup(20 * MiB, disks: 2);
        group.Add("root", 4, "-i 2");
        LvmUsedMapTests.AssertTakenWhole(group.Identify(), "taken with every block");
    }

    [Theory]
    [InlineData("", "without a volume group")]
    [InlineData("--metadatacopies 0", "keeps no metadata")]
    public void A_physical_volume_without_a_group_is_taken_whole(string pvcreate, string note)
    {
        using var group = new MadeGroup(20 * MiB, pvcreate, group: false);
        LvmUsedMapTests.AssertTakenWhole(group.Identify(), note);
    }

    [Theory]
    [InlineData("pe_count = 19", "pe_count = 1900000", "reach beyond the partition")]
    [InlineData("extent_count = 4", "extent_count = 400", "reaches outside it")]
    [InlineData("\"pv0\", 0", "\"pv0\", 17", "reaches outside it")]
    [InlineData("\"pv0\", 0", "\"pv7\", 0", "reaches outside it")]
    [InlineData("start_extent = 0", "start_extent = 1", "do not follow each other")]
    [InlineData("extent_size = 2048", "extent_size = 0", "impossible size")]
    [InlineData("lab {", "lab ", "garbled")]
    [InlineData("format = \"lvm2\"", "format = \"lvm2", "garbled")]
    [InlineData("Text Format Volume Group", "Something else", "does not describe one volume group")]
    public void Metadata_that_contradicts_itself_is_not_believed(string from, string to, string note)
    {
        using var group = new MadeGroup(20 * MiB);
        group.Add("root", 4);
        LvmUsedMapTests.AssertTakenWhole(group.IdentifyWith((from, to)), note, FileSystemKind.Unknown);
    }

    [Fact]
    public void Two_logical_volumes_on_one_extent_are_not_believed()
    {
        using var group = new MadeGroup(20 * MiB);
        group.Add("root", 4);
        group.Add("data", 4);
        LvmUsedMapTests.AssertTakenWhole(group.IdentifyWith(("\"pv0\", 4", "\"pv0\", 3")), "share an extent", FileSystemKind.Unknown);
    }

    [Theory]
    [InlineData(512 + 40, "checksum of its label")]
    [InlineData(4096 + 40, "header of a metadata area")]
    [InlineData(4096 + 512 + 700, "checksum of its metadata text")]
    public void A_wrong_checksum_is_noticed(int at, string note)
    {
        using var group = new MadeGroup(20 * MiB);
        var bytes = File.ReadAllBytes(group.Image);
        // The text in force lies behind the first one, which vgcreate wrote.
        if (at > 4608)
            at = 4096 + (int)bytes.U64(4096 + 40) + 100;
        bytes[at] ^= 1;
        LvmUsedMapTests.AssertTakenWhole(Identify(bytes), note, FileSystemKind.Unknown);
    }

    [Fact]
    public void A_change_that_was_interrupted_is_noticed()
    {
        using var group = new MadeGroup(20 * MiB);
        var bytes = File.ReadAllBytes(group.Image);
        bytes.AsSpan(4096 + 40, 24).CopyTo(bytes.AsSpan(4096 + 64));
        MadeGroup.EditText(bytes, text => text);
        LvmUsedMapTests.AssertTakenWhole(Identify(bytes), "interrupted", FileSystemKind.Unknown);
    }

    [Fact]
    public void A_physical_volume_in_a_logical_volume_is_taken_whole_within_it()
    {
        using var inner = new MadeGroup(8 * MiB);
        using var outer = new MadeGroup(20 * MiB);
        outer.Add("nested", 8);
        outer.Put("nested", inner.Image);
        var content = outer.Identify();
        Assert.Contains("nested (lvm; An LVM physical volume inside a logical volume", content.Note, StringComparison.Ordinal);
        Assert.Equal(9 * MiB / content.BlockSize, content.Used.CountUsed());
    }

    [Fact]
    public void A_text_nested_without_end_is_refused()
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a {", 100_000)));
        Assert.Throws<DamagedVolumeException>(() => LvmText.Parse(text));
        Assert.Throws<DamagedVolumeException>(() => LvmText.Parse("a = ["u8));
        Assert.Throws<DamagedVolumeException>(() => LvmText.Parse("a = [1,,,"u8));
        Assert.Throws<DamagedVolumeException>(() => LvmText.Parse("}"u8));
    }

    private static VolumeContent Identify(byte[] bytes) => VolumeProbe.Identify(MemoryDisk.Of(bytes), 0, bytes.Length, CancellationToken.None);
}
