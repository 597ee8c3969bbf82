using ImageForge.Imaging.Chunks;

namespace ImageForge.Server.Multicasting;

internal sealed partial class StoredFrames
{
    [LoggerMessage(LogLevel.Error, "Chunk {Chunk} of {Image} cannot be had, and that could not be written down; the multicast leaves it out")]
    private partial void LogNotRecorded(Exception exception, ChunkId chunk, string image);
}
