namespace ImageForge.Server.ImageStore;

internal sealed partial class ImageStoreService
{
    [LoggerMessage(LogLevel.Information, "The server did not end cleanly: hashing {Count} chunks that arrived since the last sync")]
    private partial void LogHashing(int count);

    [LoggerMessage(LogLevel.Information, "Hashed {Count} chunks in {Millis} ms; {Bad} were bad and are removed")]
    private partial void LogHashed(int count, int bad, long millis);

    [LoggerMessage(LogLevel.Error, "Chunk {Id} cannot be read or removed now; it counts as not held until it can be. Check the disk of the image store")]
    private partial void LogCannotHash(Exception exception, ImageForge.Imaging.Chunks.ChunkId id);

    [LoggerMessage(LogLevel.Error, "syncfs of the image store failed with errno {Errno}: the chunks that arrived since the last sync are removed, captures will send them again")]
    private partial void LogSyncFailed(int errno);

    [LoggerMessage(LogLevel.Warning, "The image store cannot be synced now")]
    private partial void LogCannotSync(Exception exception);

    [LoggerMessage(LogLevel.Warning, "Stale leases cannot be released now")]
    private partial void LogCannotRelease(Exception exception);
}
