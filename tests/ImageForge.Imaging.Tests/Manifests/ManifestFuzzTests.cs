using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Manifests;

/// <summary>Mutated and random manifests: never a crash, a hang or a large allocation; what is accepted obeys every rule.</summary>
public sealed class ManifestFuzzTests(ITestOutputHelper output)
{
    private const int Rounds = 60_000;

    [Fact]
    public void Every_damaged_byte_of_a_file_is_noticed()
    {
        var file = ManifestWriter.Write(Small(PartitionScheme.Mbr));
        for (var i = 0; i < file.Length; i++)
        {
            var bytes = file.ToArray();
            bytes[i] ^= 0x10;
            Assert.False(ManifestParser.TryParse(bytes, out _, out var failure));
            Assert.Equal(i is 8 or 9 ? "manifestVersion" : "manifestCorrupt", failure.Code);
        }
        for (var length = 0; length < file.Length; length += 7)
            Assert.False(ManifestParser.TryParse(file.AsSpan(0, length), out _, out _));
        Assert.False(ManifestParser.TryParse([.. file, 0], out _, out _));
    }

    [Fact]
    public void Mutated_bodies_are_refused_or_make_a_manifest_that_obeys_the_rules()
    {
        const int Seed = 20261120;
        output.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        var bodies = new[] { Body(SmallGpt()), Body(Small(PartitionScheme.Mbr)), Body(Small(PartitionScheme.None)) };
        var accepted = 0;
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < Rounds; i++)
        {
            var body = Mutate(random, bodies[random.Next(bodies.Length)]);
            if (BodyParser.Parse(body, out var problem) is { } manifest)
            {
                accepted++;
                Check(manifest);
            }
            else
            {
                Assert.NotNull(problem);
            }
        }
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        output.WriteLine($"{accepted} of {Rounds} accepted, {watch.Elapsed.TotalSeconds:f1} s, {allocated / Rounds} bytes allocated each");
        Assert.InRange(accepted, 1, Rounds - 1);
        Assert.InRange(allocated / Rounds, 0, 1 << 20);
    }

    [Fact]
    public void Random_bodies_in_a_sound_file_are_refused()
    {
        const int Seed = 20261121;
        output.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        for (var i = 0; i < Rounds / 2; i++)
        {
            var body = new byte[random.Next(300)];
            random.NextBytes(body);
            if (body.Length > 12 && i % 2 == 0)
            {
                // Past the first check, so that the rest is reached.
                BinaryPrimitives.WriteInt64LittleEndian(body, 4096L * random.Next(1, 1 << 20));
                BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(8), 512);
            }
            Assert.Null(BodyParser.Parse(body, out var problem));
            Assert.NotNull(problem);
        }
    }

    [Fact]
    public void Mutated_files_with_a_matching_hash_are_refused_without_a_large_allocation()
    {
        const int Seed = 20261122;
        output.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        var file = ManifestWriter.Write(SmallGpt());
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Rounds / 2; i++)
        {
            var bytes = Mutate(random, file);
            if (bytes.Length < 56)
                continue;
            SHA256.HashData(bytes.AsSpan(0, bytes.Length - 32), bytes.AsSpan(bytes.Length - 32));
            if (ManifestParser.TryParse(bytes, out var manifest, out _))
                Check(manifest);
        }
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.InRange(allocated / (Rounds / 2), 0, 1 << 20);
    }

    [Fact]
    public void A_small_file_that_claims_a_huge_body_allocates_nothing()
    {
        var file = ManifestWriter.Seal(new byte[100]);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(12), 500 << 20);
        SHA256.HashData(file.AsSpan(0, file.Length - 32), file.AsSpan(file.Length - 32));
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(ManifestParser.TryParse(file, out _, out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 64 << 10);

        // A real bomb is stopped by the limit the caller sets.
        var bomb = ManifestWriter.Seal(new byte[64 << 20]);
        allocated = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(ManifestParser.TryParse(bomb, out _, out var failure, maxBodyBytes: 16 << 20));
        Assert.Contains("exceeds", failure.Sentence, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 64 << 10);
    }

    [Fact]
    public void More_runs_than_chunks_are_refused_before_anything_is_allocated_for_them()
    {
        var body = Body(Small(PartitionScheme.Mbr));
        // The count stands behind the two damaged ranges, the last of which is 8192, 1024.
        var last = new byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(last, 8192);
        BinaryPrimitives.WriteInt64LittleEndian(last.AsSpan(8), 1024);
        var at = body.AsSpan().IndexOf(last) + last.Length;
        body = [.. body, .. new byte[8 << 20]];
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(at), 4 << 20);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(BodyParser.Parse(body, out var problem));
        Assert.Contains("runs are more than fit", problem, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 64 << 10);
    }

    private static Manifest SmallGpt()
    {
        var image = SyntheticImage.Make(new Random(5), chunkSize: 1 << 20);
        // Without the gap, the mutations hit what is parsed.
        return image.Manifest with { Regions = [.. image.Manifest.Regions.Where(r => r.Kind != RawRegionKind.Gap)] };
    }

    private static Manifest Small(PartitionScheme scheme)
    {
        var map = new BlockMap(256 * 4);
        map.Set(0, 300);
        map.Set(700, 3);
        var builder = new ManifestVolumeBuilder(new Partition(1, 1 << 20, 4 << 20, "0x83", null, "é", 0), new VolumeContent(FileSystemKind.Ext4, 4096, map, "uuid", "label", "note"), 64 << 10);
        for (var i = 0; i < builder.CandidateCount; i += 2)
            builder.SetData(i, ChunkId.Of([(byte)i]));
        return new Manifest(8 << 20, 512, "model", scheme, null, [new(RawRegionKind.BootSector, 0, new byte[512])], [builder.Build([new DamagedRange(4096, 512), new DamagedRange(8192, 1024)])]);
    }

    private static byte[] Body(Manifest manifest)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8))
            ManifestWriter.WriteBody(writer, manifest);
        return stream.ToArray();
    }

    private static byte[] Mutate(Random random, byte[] bytes)
    {
        bytes = bytes.ToArray();
        for (var n = random.Next(1, 5); n > 0 && bytes.Length > 0; n--)
        {
            var at = random.Next(2) == 0 ? random.Next(bytes.Length) : random.Next(Math.Min(bytes.Length, 200));
            switch (random.Next(7))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.AsSpan(at, Math.Min(random.Next(1, 9), bytes.Length - at)).Fill((byte)(random.Next(2) * 255));
                    break;
                case 3:
                    bytes = bytes[..at];
                    break;
                case 4:
                    bytes = [.. bytes[..at], .. new byte[random.Next(1, 9)], .. bytes[at..]];
                    break;
                case 5:
                    bytes = [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 9))..]];
                    break;
                default:
                    // Toward the end: the volumes and their runs.
                    bytes[^Math.Min(bytes.Length, random.Next(1, 400))] = (byte)random.Next(256);
                    break;
            }
        }
        return bytes;
    }

    /// <summary>What everything after the parser relies on.</summary>
    private static void Check(Manifest manifest)
    {
        long end = 0;
        foreach (var volume in manifest.Volumes)
        {
            var partition = volume.Header.Partition;
            Assert.True(partition.Offset >= end && partition.End <= manifest.DiskSizeBytes);
            Assert.True(ChunkSizes.IsValid(volume.Header.ChunkSize) && volume.Header.BlockSize <= volume.Header.ChunkSize);
            end = partition.End;
            long covered = 0, used = 0;
            foreach (var chunk in volume.Chunks())
            {
                Assert.True(chunk.VolumeOffset == covered && chunk.Length > 0 && chunk.VolumeOffset + chunk.Length <= partition.Length);
                covered += chunk.Length;
                var bytes = volume.UsedBytesOf(chunk);
                Assert.InRange(bytes, chunk.Kind == ChunkKind.Unused ? 0 : 1, chunk.Kind == ChunkKind.Unused ? 0 : chunk.Length);
                used += bytes;
            }
            Assert.Equal(partition.Length, covered);
            var free = -1L;
            foreach (var range in volume.Damaged)
            {
                Assert.True(range.Offset > free && range.Length > 0 && range.End <= partition.Length);
                free = range.End;
            }
            Assert.InRange(manifest.DamageNotes().Count(), 0, manifest.Volumes.Count);
            Assert.Equal(volume.UsedBytes, used);
        }
        if (manifest.Gpt is { } gpt)
            Assert.NotEmpty(GptWriter.Rebuild(gpt, Math.Max(manifest.DiskSizeBytes, GptWriter.MinimumDiskBytes(gpt)), manifest.SectorSize));
    }
}
