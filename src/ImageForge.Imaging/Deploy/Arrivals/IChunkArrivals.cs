using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy.Arrivals;

/// <summary>Chunks that come without being asked for one by one, in an order of their own: what a stream for a whole room brings.</summary>
public interface IChunkArrivals
{
    /// <summary>
    /// Gives frames to <paramref name="chunks"/> until it lacks none or no more are to be expected; what is lacking then is fetched.
    /// An exception other than a cancelled <paramref name="cancel"/> fails the deploy.
    /// </summary>
    Task RunAsync(ArrivingChunks chunks, CancellationToken cancel);
}

/// <param name="Numbers">Of the whole image file, whatever part of it is deployed.</param>
public sealed record ChunkStream(ChunkNumbers Numbers, IChunkArrivals Arrivals);
