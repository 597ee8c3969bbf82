using ImageForge.Imaging.Chunks;
using ImageForge.Server.Errors;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Agents;

/// <summary>Ids of 32 bytes back to back, and the bitmap that answers them (bit i of byte i/8, least significant first).</summary>
internal static class ChunkIdList
{
    /// <summary>Null unless the bytes are at least one whole id and nothing else.</summary>
    public static ChunkId[]? TryParse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || bytes.Length % ChunkId.Size != 0)
            return null;
        var ids = new ChunkId[bytes.Length / ChunkId.Size];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = new ChunkId(bytes.Slice(i * ChunkId.Size, ChunkId.Size));
        return ids;
    }

    public static byte[] ToBitmap(bool[] bits)
    {
        var bitmap = new byte[(bits.Length + 7) / 8];
        for (var i = 0; i < bits.Length; i++)
        {
            if (bits[i])
                bitmap[i / 8] |= (byte)(1 << (i % 8));
        }
        return bitmap;
    }

    public static ProblemHttpResult Problem() =>
        Problems.BadRequest("badChunkIds", "The body must be chunk ids of 32 bytes each, at least one.", "Use an agent of the same version as the server.");
}
