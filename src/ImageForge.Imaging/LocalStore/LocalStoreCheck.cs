using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.LocalStore;

/// <param name="Chunks">Different chunks that were read.</param>
/// <param name="Bytes">Plain bytes that were hashed.</param>
/// <param name="Bad">What is missing or damaged, and whom it hurts.</param>
public sealed record StoreVerification(long Chunks, long Bytes, IReadOnlyList<BadContent> Bad);

/// <param name="What">A chunk's id, or <c>manifest</c> and its hash.</param>
/// <param name="Why">missing, damaged, or unreadable: it is there and the disk or its rights refuse it.</param>
/// <param name="Hurts">Versions that cannot be deployed without it, as <c>image:number</c>.</param>
public sealed record BadContent(string What, string Why, IReadOnlyList<string> Hurts);

/// <summary>Reads every chunk of the given versions once and hashes it.</summary>
internal sealed class LocalStoreCheck(LocalStore store, LocalStoreFolder folder)
{
    public StoreVerification Run(IReadOnlyList<LocalImageVersion> versions, Action<long, long> progress, CancellationToken cancel)
    {
        using var reading = StoreLock.ForReading(folder);
        var bad = new List<BadContent>();
        var wanted = new Dictionary<ChunkId, int>();
        var manifests = new List<(LocalImageVersion Version, ImageDisks Image)>();
        foreach (var version in versions)
        {
            try
            {
                var image = store.ReadImage(version);
                manifests.Add((version, image));
                foreach (var (id, length) in image.DataChunks())
                    wanted[id] = length;
            }
            catch (FailureException e)
            {
                bad.Add(new BadContent($"manifest {version.ManifestHash}", e.Failure.Code == "manifestMissing" ? "missing" : "damaged", [version.ToString()]));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                bad.Add(new BadContent($"manifest {version.ManifestHash}", "unreadable", [version.ToString()]));
            }
        }

        using var zstd = new ZstdDecompressor();
        var plain = new byte[wanted.Values.DefaultIfEmpty(0).Max()];
        long done = 0, bytes = 0;
        foreach (var (id, length) in wanted)
        {
            cancel.ThrowIfCancellationRequested();
            if (Check(zstd, id, plain.AsSpan(0, length)) is { } why)
                bad.Add(new BadContent(id.ToString(), why, [.. manifests.Where(m => m.Image.DataChunks().Any(chunk => chunk.Id == id)).Select(m => m.Version.ToString())]));
            bytes += length;
            progress(++done, wanted.Count);
        }
        return new StoreVerification(wanted.Count, bytes, bad);
    }

    private string? Check(ZstdDecompressor zstd, ChunkId id, Span<byte> plain)
    {
        try
        {
            // One wrong read may be the cable's or the memory's: only two of them speak against the chunk.
            for (var read = 0; read < 2; read++)
            {
                if (ChunkFrame.TryOpen(zstd, id, File.ReadAllBytes(folder.ChunkFile(id)), plain))
                    return null;
                Durable.ForgetCached(folder.ChunkFile(id));
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return "missing";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It may be whole: a lost network drive reads again tomorrow.
            return "unreadable";
        }
        try
        {
            Directory.CreateDirectory(folder.Quarantine);
            File.Move(folder.ChunkFile(id), folder.QuarantineFile(id), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A store that may only be read: the answer stands without it.
        }
        return "damaged";
    }
}
