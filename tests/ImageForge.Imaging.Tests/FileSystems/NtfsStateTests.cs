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

    [Theory]
    [InlineData(20, 2)]
    [InlineData(20, 10)]
    [InlineData(60, 30)]
    public void A_bitmap_in_pieces_is_read_in_order(int mebibytes, int pieces)
    {
        using var volume = MadeVolume.Ntfs(mebibytes * MiB, "-c 512", files: 20);
        var before = volume.Identify();
        SplitBitmap(volume, before, pieces);
        var after = volume.Identify();
        Assert.Null(after.Note);
        Assert.Equal(pieces, Runs(volume, record: 6).Count);
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

    [Theory]
    [InlineData(-1)]
    [InlineData(-3000)]
    public void A_bitmap_smaller_than_the_volume_is_not_believed(int less)
    {
        using var volume = MadeVolume.Ntfs(40 * MiB, "-c 512", files: 0);
        var bytes = volume.ReadAll();
        var boot = NtfsBootSector.Parse(bytes[..512], bytes.Length);
        var record = (int)(boot.MftCluster * boot.ClusterSize) + 6 * boot.RecordSize;
        var at = record + (int)bytes.U16(record + 20);
        while (bytes.U32(at) != 0x80)
            at += (int)bytes.U32(at + 4);
        // mkntfs rounds it up to eight bytes.
        var size = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(size, boot.Clusters / 8 + less);
        Patch(volume, at + 48, size);
        Patch(volume, at + 56, size);
        var ours = volume.Identify();
        Assert.Equal(FileSystemKind.Unknown, ours.Kind);
        Assert.Contains("$Bitmap is too short", ours.Note, StringComparison.Ordinal);
        Assert.Equal(ours.Used.BlockCount, ours.Used.CountUsed());
    }

    [Fact]
    public void A_check_that_was_begun_and_not_ended_counts_as_dirty()
    {
        using var volume = MadeVolume.Ntfs(20 * MiB, "-c 4096", files: 0);
        var bytes = volume.ReadAll();
        var boot = NtfsBootSector.Parse(bytes[..512], bytes.Length);
        var record = (int)(boot.MftCluster * boot.ClusterSize) + 3 * boot.RecordSize;
        var at = record + (int)bytes.U16(record + 20);
        while (bytes.U32(at) != 0x70)
            at += (int)bytes.U32(at + 4);
        Patch(volume, at + bytes.U16(at + 20) + 11, [0x40]);
        AssertTakenWhole(volume, "dirty");
        Assert.Equal(VolumeState.Dirty, volume.Identify().State);
    }

    /// <summary>Moves the content of $Bitmap to as many free places, the later ones first, and tells record 6 so.</summary>
    private static void SplitBitmap(MadeVolume volume, VolumeContent content, int pieces)
    {
        var bytes = volume.ReadAll();
        var boot = NtfsBootSector.Parse(bytes[..512], bytes.Length);
        var (offset, length) = Runs(volume, record: 6).Single();
        var clusters = (int)(length / boot.ClusterSize);
        var bitmap = bytes.AsSpan((int)offset, (int)length).ToArray();
        void Mark(long from, int count, bool used)
        {
            for (var cluster = from; cluster < from + count; cluster++)
                bitmap[cluster / 8] = (byte)(used ? bitmap[cluster / 8] | 1 << (int)(cluster % 8) : bitmap[cluster / 8] & ~(1 << (int)(cluster % 8)));
        }
        Mark(offset / boot.ClusterSize, clusters, used: false);
        var taken = new BlockMap(content.Used.BlockCount);
        for (long cluster = 0; cluster < taken.BlockCount; cluster++)
            if (content.Used[cluster])
                taken.Set(cluster, 1);
        var places = new List<(long Lcn, int First, int Count)>();
        for (var i = 0; i < pieces; i++)
        {
            var (first, end) = (clusters * i / pieces, clusters * (i + 1) / pieces);
            var lcn = FindFree(taken, end - first, 30_000 - 29_000 * i / pieces);
            taken.Set(lcn, end - first);
            places.Add((lcn, first, end - first));
            Mark(lcn, end - first, used: true);
        }
        foreach (var (lcn, first, count) in places)
            Patch(volume, lcn * boot.ClusterSize, bitmap.AsSpan(first * boot.ClusterSize, count * boot.ClusterSize));

        // $DATA is the last attribute of the record; its runs take four bytes each.
        var record = (int)(boot.MftCluster * boot.ClusterSize) + 6 * boot.RecordSize;
        var file = bytes.AsSpan(record, boot.RecordSize).ToArray();
        var last = file.AsSpan(510, 2).ToArray();
        NtfsRecord.ApplyFixups(file, "record 6");
        var at = (int)file.U16(20);
        while (file.U32(at) != 0x80)
            at += (int)file.U32(at + 4);
        var runs = at + file.U16(at + 32);
        var before = 0L;
        foreach (var (lcn, _, count) in places)
        {
            (file[runs], file[runs + 1]) = (0x21, (byte)count);
            BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(runs + 2), checked((short)(lcn - before)));
            (before, runs) = (lcn, runs + 4);
        }
        file[runs++] = 0;
        var grown = (runs - at + 7) / 8 * 8;
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at + 4), grown);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at + grown), 0xFFFF_FFFF);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(24), at + grown + 8);
        Assert.True(at + grown + 8 < 1022);
        // The fixups again: what they replace is kept at their place.
        var sequence = file.U16(4);
        for (var i = 1; i <= 2; i++)
        {
            file.AsSpan(i * 512 - 2, 2).CopyTo(file.AsSpan(sequence + 2 * i));
            last.CopyTo(file, i * 512 - 2);
        }
        Patch(volume, record, file);
    }

    private static long FindFree(BlockMap taken, int count, long from)
    {
        while (taken.CountUsed(from, count) > 0)
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
