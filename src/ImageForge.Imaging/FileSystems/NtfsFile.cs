namespace ImageForge.Imaging.FileSystems;

/// <summary>The content of one attribute of a system file: resident bytes, or runs gathered from the base record and its extension records.</summary>
internal sealed class NtfsFile
{
    private readonly ReadOnlyMemory<byte>? _resident;
    private readonly NtfsBootSector _boot;

    private NtfsFile(NtfsBootSector boot, ReadOnlyMemory<byte> resident) => (_boot, _resident, Size, Length, Runs) = (boot, resident, resident.Length, resident.Length, new NtfsRuns(0));

    private NtfsFile(NtfsBootSector boot, NtfsRuns runs, long size, long length) => (_boot, Runs, Size, Length) = (boot, runs, size, length);

    /// <summary>Bytes that were ever written; what follows up to <see cref="Length"/> reads as zeros.</summary>
    public long Size { get; }

    public long Length { get; }

    /// <summary>No runs if the content is resident.</summary>
    public NtfsRuns Runs { get; }

    public void Read(VolumeReader volume, long offset, Span<byte> destination)
    {
        if (offset < 0 || offset > Size - destination.Length)
            throw new DamagedVolumeException("something lies behind the end of a system file");
        if (_resident is { } content)
            content.Span.Slice((int)offset, destination.Length).CopyTo(destination);
        else
            Runs.Read(volume, _boot.ClusterSize, offset, destination);
    }

    /// <param name="pieces">The one content, or the pieces of one that is spread over several records; put into order here.</param>
    public static NtfsFile Open(NtfsBootSector boot, long number, List<NtfsAttribute> pieces)
    {
        if (pieces.Count == 0)
            throw new DamagedVolumeException($"MFT record {number} has no content");
        var ordered = pieces.OrderBy(piece => piece.FirstVcn).ToList();
        var file = Open(boot, number, ordered[0]);
        foreach (var piece in ordered.Skip(1))
            file.Append(piece);
        return file;
    }

    /// <summary>The next piece of the same content.</summary>
    public void Append(NtfsAttribute piece)
    {
        if (_resident is not null)
            throw new DamagedVolumeException("an MFT record has two contents");
        Runs.Append(piece);
    }

    public static NtfsFile Open(NtfsBootSector boot, long number, NtfsAttribute attribute)
    {
        if (!attribute.IsPlain)
            throw new DamagedVolumeException($"the content of MFT record {number} is compressed, sparse or encrypted");
        if (!attribute.IsNonResident)
            return new NtfsFile(boot, attribute.Content());
        if (attribute.Size > long.MaxValue || attribute.InitializedSize > attribute.Size)
            throw new DamagedVolumeException($"the content of MFT record {number} has an impossible size");
        var runs = new NtfsRuns(boot.Clusters);
        runs.Append(attribute);
        return new NtfsFile(boot, runs, (long)attribute.InitializedSize, (long)attribute.Size);
    }
}
