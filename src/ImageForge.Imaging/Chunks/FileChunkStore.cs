using System.Security.Cryptography;
using ImageForge.Contracts;

namespace ImageForge.Imaging.Chunks;

/// <summary>
/// Chunks as files below one folder (<see cref="ChunkPaths"/>), for the CLI and tests. A frame is written to a temporary
/// name and renamed, so a name never shows half a chunk; durability is the caller's business (<c>syncfs</c> before a seal).
/// </summary>
public sealed class FileChunkStore(string folder) : IChunkSource, IChunkSink, IChunkInventory
{
    public string Folder { get; } = folder;

    public bool Holds(ChunkId id) => File.Exists(ChunkPaths.Of(Folder, id));

    public ValueTask<bool[]> HeldAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel) =>
        ValueTask.FromResult(ids.Select(Holds).ToArray());

    public ValueTask<bool[]> MissingAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel) =>
        ValueTask.FromResult(ids.Select(id => !Holds(id)).ToArray());

    public async ValueTask<int> ReadFrameAsync(ChunkId id, Memory<byte> frame, CancellationToken cancel)
    {
        try
        {
            using var file = File.OpenHandle(ChunkPaths.Of(Folder, id), options: FileOptions.Asynchronous);
            var length = RandomAccess.GetLength(file);
            if (length > frame.Length)
                return 0; // longer than any frame of this chunk can be: the caller finds it corrupt
            var read = 0;
            while (read < length && await RandomAccess.ReadAsync(file, frame[read..], read, cancel) is var count and > 0)
                read += count;
            return read;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw ChunkFailures.Missing(id, e);
        }
    }

    public async ValueTask StoreAsync(ChunkId id, int plainLength, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        if (!ChunkFrame.Verify(id, plainLength, frame.Span))
            throw new FailureException("chunkRefused", Fault.Network, $"Chunk {id} arrived damaged.", "Send it again; if it repeats, check the network hardware of this host.");
        var path = ChunkPaths.Of(Folder, id);
        if (File.Exists(path))
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}.tmp";
        try
        {
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0, FileOptions.Asynchronous))
                await file.WriteAsync(frame, cancel);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
