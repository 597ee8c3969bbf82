using System.Buffers.Binary;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Volumes whose $Bitmap on disk may lag behind, and those laid out in pieces.</summary>
public sealed class NtfsStateTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public void A_dirty_volume_is_taken_whole()
    {
        using var volume = MadeVolume.Ntfs(40 * MiB, "-c 4096", files: 0);
        // ntfsresize leaves the dirty flag so that Windows checks the volume.
        Shell.Run("sh", "-c", $"yes | ntfsresize -f -s 30M {volume.Image}");
        AssertTakenWhole(volume, "dirty");
    }

    [Theory]
    [InlineData(0, 0, "not shut down fully")]
    [InlineData(0, 2, null)]
    [InlineData(0xFFFF, 0, null)]
    public void A_log_with_work_left_means_the_volume_is_taken_whole(int client, int flags, string? note)
    {
        using var volume = MadeVolume.Ntfs(20 * MiB, "-c 4096", files: 0);
        WriteRestartPage(volume, page: 0, lsn: 10, client, flags);
        WriteRestartPage(volume, page: 1, lsn: 9, 0xFFFF - client, 2 - flags);
        if (note is null)
            Assert.Null(volume.Identify().Note);
        else
            AssertTakenWhole(volume, note);
    }

    [Fact]
    public void Of_two_restart_pages_the_newer_counts()
    {
        using var volume = MadeVolume.Ntfs(20 * MiB, "-c 4096", files: 0);
        WriteRestartPage(volume, page: 0, lsn: 10, client: 0xFFFF, flags: 2);
        WriteRestartPage(volume, page: 1, lsn: 11, client: 0, flags: 0);
        AssertTakenWhole(volume, "not shut down fully");
        WriteRestartPage(volume, page: 1, lsn: 9, client: 0, flags: 0);
        Assert.Null(volume.Identify().Note);
    }

    [Theory]
    [InlineData(0, VolumeState.JournalPending, "its log has work left")]
    [InlineData(2, VolumeState.Hibernated, "fast startup")]
    [InlineData(0xFFFF, VolumeState.JournalPending, "its log has work left")]
    public void A_log_of_another_version_means_the_volume_is_taken_whole_however_clean_it_says_it_is(int major, VolumeState state, string note)
    {
        using var volume = MadeVolume.Ntfs(20 * MiB, "-c 4096", files: 0);
        WriteRestartPage(volume, page: 0, lsn: 10, client: 0xFFFF, flags: 2);
        WriteRestartPage(volume, page: 1, lsn: 11, client: 0xFFFF, flags: 2, major);
        AssertTakenWhole(volume, note);
        Assert.Equal(state, volume.Identify().State);
        WriteRestartPage(volume, page: 1, lsn: 11, client: 0xFFFF, flags: 2);
        Assert.Null(volume.Identify().Note);
    }

    [Fact]
    public void A_log_too_short_for_a_restart_page_is_not_taken_for_clean()
    {
        using var volume = MadeVolume.Ntfs(20 * MiB, "-c 4096", files: 0);
        var bytes = volume.ReadAll();
        var boot = NtfsBootSector.Parse(bytes[..512], bytes.Length);
        var record = (int)(boot.MftCluster * boot.ClusterSize) + 2 * boot.RecordSize;
        var at = record + (int)bytes.U16(record + 20);
        while (bytes.U32(at) != 0x80)
            at += (int)bytes.U32(at + 4);
        // Real and initialised size of the non-resident $DATA.
        var size = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(size, 2048);
        Patch(volume, at + 48, size);
        Patch(volume, at + 56, size);
        AssertTakenWhole(volume, "not shut down fully");
    }

    [Fact]
    public void A_torn_restart_page_and_no_other_is_not_taken_for_clean()
    {
        using var volume = MadeVolume.Ntfs(20 * MiB, "-c 4096", files: 0);
        WriteRestartPage(volume, page: 0, lsn: 10, client: 0xFFFF, flags: 2);
        var (offset, _) = Runs(volume, record: 2).Single();
        Patch(volume, offset + 1022, [0x77, 0x77]);
        AssertTakenWhole(volume, "not shut down fully");
    }

    /// <summary>Thousands of small files on a volume of single free clusters: ntfs-3g spreads the MFT until its runs need an attribute list.</summary>
    [Fact]
    public void An_mft_in_so_many_pieces_that_it_needs_an_attribute_list_is_followed()
    {
        using var volume = MadeVolume.Ntfs(12 * MiB, "-c 512", files: 0);
        volume.FillWithTinyFilesUntilTheMftIsInPieces();
        Assert.Contains("$ATTRIBUTE_LIST", Shell.Run("ntfsinfo", "-i", "0", "-v", volume.Image), StringComparison.Ordinal);
        var ours = volume.Identify();
        Assert.Null(ours.Note);
        Judges.AssertAgreesWithPartclone(volume, ours, "ntfs", allowedExtra: 2 * ours.BlockSize);
    }

    [Fact]
    public void A_bitmap_in_two_pieces_is_read_in_order()
    {
        using var volume = MadeVolume.Ntfs(20 * MiB, "-c 512", files: 20);
        var before = volume.Identify();
        SplitBitmap(volume, before);
        var after = volume.Identify();
        Assert.Null(after.Note);
        Assert.Equal(2, Runs(volume, record: 6).Count);
        Judges.AssertAgreesWithPartclone(volume, after, "ntfs", allowedExtra: 2 * after.BlockSize);
        Assert.Equal(before.Used.CountUsed(), after.Used.CountUsed());
    }

    private static void AssertTakenWhole(MadeVolume volume, string note)
    {
        var ours = volume.Identify();
        Assert.Equal(FileSystemKind.Ntfs, ours.Kind);
        Assert.Contains(note, ours.Note, StringComparison.Ordinal);
        Assert.Equal(ours.Used.BlockCount, ours.Used.CountUsed());
    }

    /// <summary>Moves the content of $Bitmap to two free places, the later one first, and tells record 6 so.</summary>
    private static void SplitBitmap(MadeVolume volume, VolumeContent content)
    {
        var bytes = volume.ReadAll();
        var boot = NtfsBootSector.Parse(bytes[..512], bytes.Length);
        var (offset, length) = Runs(volume, record: 6).Single();
        var clusters = (int)(length / boot.ClusterSize);
        var first = clusters / 2;
        var (high, low) = (FindFree(content, first, 20_000), FindFree(content, clusters - first, 100));

        var bitmap = bytes.AsSpan((int)offset, (int)length).ToArray();
        void Mark(long from, int count, bool used)
        {
            for (var cluster = from; cluster < from + count; cluster++)
                bitmap[cluster / 8] = (byte)(used ? bitmap[cluster / 8] | 1 << (int)(cluster % 8) : bitmap[cluster / 8] & ~(1 << (int)(cluster % 8)));
        }
        Mark(offset / boot.ClusterSize, clusters, used: false);
        Mark(high, first, used: true);
        Mark(low, clusters - first, used: true);
        Patch(volume, high * boot.ClusterSize, bitmap.AsSpan(0, first * boot.ClusterSize));
        Patch(volume, low * boot.ClusterSize, bitmap.AsSpan(first * boot.ClusterSize));

        // $DATA is the last attribute of the record; its runs grow by eight bytes.
        var record = (int)(boot.MftCluster * boot.ClusterSize) + 6 * boot.RecordSize;
        var file = bytes.AsSpan(record, boot.RecordSize).ToArray();
        var at = (int)file.U16(20);
        while (file.U32(at) != 0x80)
            at += (int)file.U32(at + 4);
        var runs = at + file.U16(at + 32);
        var grown = file.U32(at + 4) + 8;
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at + 4), grown);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(24), file.U32(24) + 8);
        file[runs] = 0x21;
        file[runs + 1] = (byte)first;
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(runs + 2), (short)high);
        file[runs + 4] = 0x21;
        file[runs + 5] = (byte)(clusters - first);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(runs + 6), (short)(low - high));
        file[runs + 8] = 0;
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at + (int)grown), 0xFFFF_FFFF);
        Assert.True(at + grown < 510 && high <= short.MaxValue && low < high);
        Patch(volume, record, file);
    }

    private static long FindFree(VolumeContent content, int count, long from)
    {
        while (content.Used.CountUsed(from, count) > 0)
            from++;
        return from;
    }

    /// <summary>A page as Windows writes it: RSTR, fixups, one restart area at 48.</summary>
    private static void WriteRestartPage(MadeVolume volume, int page, long lsn, int client, int flags, int major = 1)
    {
        var bytes = new byte[4096];
        "RSTR"u8.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), 30);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(6), 9);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16), 4096);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(20), 4096);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(24), 48);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(26), (ushort)(major == 1 ? 1 : 0));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(28), (ushort)major);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(48), lsn);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(48 + 12), (ushort)client);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(48 + 14), (ushort)flags);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(30), 1);
        for (var i = 1; i <= 8; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * 512 - 2), 1);
        Patch(volume, Runs(volume, record: 2).Single().Offset + page * 4096, bytes);
    }

    private static List<(long Offset, long Length)> Runs(MadeVolume volume, int record)
    {
        var bytes = volume.ReadAll();
        var boot = NtfsBootSector.Parse(bytes[..512], bytes.Length);
        var file = NtfsRecord.Parse(bytes.AsSpan((int)(boot.MftCluster * boot.ClusterSize) + record * boot.RecordSize, boot.RecordSize).ToArray(), record);
        var runs = new NtfsRuns(boot.Clusters);
        runs.Append(file.Attributes().Single(attribute => attribute.Type == NtfsAttribute.Data));
        return [.. runs.All.Select(run => (run.Lcn * boot.ClusterSize, run.Count * boot.ClusterSize))];
    }

    private static void Patch(MadeVolume volume, long at, ReadOnlySpan<byte> bytes)
    {
        using var file = File.OpenHandle(volume.Image, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.Write(file, bytes, at);
    }
}
