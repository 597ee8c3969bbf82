using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.FileSystems;
using ImageForge.Imaging.Tests.Fuzzing;
using ImageForge.Imaging.Tests.Manifests;

namespace ImageForge.Imaging.Tests.Capture;

/// <summary>A Windows volume with its pagefile, swapfile and hiberfil: none of their content is taken, zeros come back in its place.</summary>
public sealed class MemoryFilesRoundTripTests
{
    private const int MiB = 1 << 20, Start = MiB;

    [Theory]
    [InlineData(64 << 10, "-c 4096", 0xFF)]
    [InlineData(1 << 20, "-c 4096", 0xFF)]
    [InlineData(1 << 20, "-c 512", 0xFF)]
    [InlineData(64 << 10, "-c 262144", 0xFF)]
    [InlineData(1 << 20, "-c 4096", 0)]
    public async Task Their_content_is_not_taken_and_zeros_come_back(int chunkSize, string options, int before)
    {
        using var volume = MadeVolume.Ntfs(64 * MiB, options, files: 100);
        volume.WithMounted(Fill, "ntfs-3g");
        var content = volume.Identify();
        using var folder = new TempFolder();
        var made = new MemoryDisk(volume.Bytes + 2 * MiB);
        made.Write(Start, volume.ReadAll());
        TestGpt.WriteTo(made, (Start, volume.Bytes));
        var disk = SyntheticImage.Read(made, 0, (int)made.SizeBytes);
        WriteGarbage(disk.AsSpan(Start, (int)volume.Bytes), content);
        var source = disk.ToArray();

        var store = new MemoryChunkStore();
        var engine = new CaptureEngine(new ArrayDisk(disk), store, new CaptureOptions(chunkSize, Level: 1));
        var result = await engine.RunAsync(CancellationToken.None);

        Assert.Equal(source, disk);
        var captured = Assert.Single(result.Manifest.Volumes);
        Assert.Contains("Recorded as zeros: pagefile.sys (", captured.Header.Note, StringComparison.Ordinal);
        var skipped = content.Skipped!.CountUsed() * content.BlockSize;
        Assert.InRange(skipped, 12_000_000, 14_000_000);
        Assert.Equal((engine.Progress.BytesTotal, captured.UsedBytes), (engine.Progress.BytesDone, engine.Progress.BytesTotal + skipped));
        AssertNoChunkHoldsAny(store, chunkSize);

        var filled = new byte[disk.Length];
        filled.AsSpan().Fill((byte)before);
        var device = MemoryDisk.Of(filled);
        await DeployAsync(result, store, device);
        var target = SyntheticImage.Read(device, 0, disk.Length);
        AssertRestored(source.AsSpan(Start, (int)volume.Bytes), target.AsSpan(Start, (int)volume.Bytes), content);
        AssertFiles(volume, target, folder["restored"]);
    }

    private static void Fill(string root)
    {
        MemoryFiles.WriteInTurns(Path.Combine(root, "pagefile.sys"), MemoryFiles.Content(1, 8_000_000), Path.Combine(root, "between"), new byte[900_000], 20_000);
        File.WriteAllBytes(Path.Combine(root, "swapfile.sys"), MemoryFiles.Content(2, 500_000));
        File.WriteAllBytes(Path.Combine(root, "hiberfil.sys"), MemoryFiles.Content(3, 4_000_000, new byte[4096]));
    }

    /// <summary>What deleted files left: marked too, so that it would be noticed in a chunk.</summary>
    private static void WriteGarbage(Span<byte> volume, VolumeContent content)
    {
        var garbage = MemoryFiles.Content(4, content.BlockSize);
        for (long block = 0; block < content.Used.BlockCount; block++)
            if (!content.Used[block])
                garbage.AsSpan(0, (int)Math.Min(garbage.Length, volume.Length - block * content.BlockSize)).CopyTo(volume[(int)(block * content.BlockSize)..]);
    }

    private static void AssertNoChunkHoldsAny(MemoryChunkStore store, int chunkSize)
    {
        Assert.NotEmpty(store.Frames);
        var plain = new byte[chunkSize];
        using var zstd = new ZstdDecompressor();
        foreach (var (id, frame) in store.Frames)
        {
            Assert.True(ChunkFrame.TryOpen(zstd, id, frame, plain));
            for (var at = 0; at < plain.Length; at += MemoryFiles.Cell)
                Assert.False(MemoryFiles.IsMarked(plain.AsSpan(at)), $"chunk {id} holds at {at} what was to be skipped");
        }
    }

    private static async Task DeployAsync(CaptureResult result, MemoryChunkStore store, MemoryDisk target)
    {
        var manifest = ManifestTests.Parse(result.ManifestBytes);
        var outcome = DeployPlanner.Plan(manifest, result.ManifestHash, target.SizeBytes, target.SectorSize, null);
        Assert.True(outcome.IsPlanned);
        await new DeployEngine(target, store, outcome.Plan, new DeployOptions()).RunAsync(CancellationToken.None);
    }

    private static void AssertRestored(ReadOnlySpan<byte> source, ReadOnlySpan<byte> target, VolumeContent content)
    {
        for (long block = 0; block < content.Used.BlockCount; block++)
        {
            var at = (int)(block * content.BlockSize);
            var length = Math.Min(content.BlockSize, source.Length - at);
            if (content.Skipped![block])
                Assert.False(target.Slice(at, length).ContainsAnyExcept((byte)0), $"block {block} should be zero");
            else if (content.Used[block])
                Assert.True(source.Slice(at, length).SequenceEqual(target.Slice(at, length)), $"block {block} differs");
        }
    }

    private static void AssertFiles(MadeVolume volume, byte[] target, string restored)
    {
        File.WriteAllBytes(restored, target[Start..(Start + (int)volume.Bytes)]);
        Shell.Run("ntfsfix", "-n", restored);
        var (expected, actual) = (volume.HashFiles(volume.Image), volume.HashFiles(restored));
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        var differing = expected.Where(file => actual[file.Key] != file.Value).Select(file => file.Key).Order();
        Assert.Equal(["hiberfil.sys", "pagefile.sys", "swapfile.sys"], differing);
        foreach (var (name, length) in (ReadOnlySpan<(string, int)>)[("pagefile.sys", 8_000_000), ("swapfile.sys", 500_000), ("hiberfil.sys", 4_000_000)])
            Assert.Equal(Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(new byte[length])), actual[name]);
    }
}
