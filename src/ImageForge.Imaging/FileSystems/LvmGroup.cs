namespace ImageForge.Imaging.FileSystems;

/// <summary>A volume group as its metadata text describes it.</summary>
/// <param name="Sequence">Raised with every change.</param>
/// <param name="ExtentBytes">Bytes per extent.</param>
internal sealed record LvmGroup(string Name, long Sequence, long ExtentBytes, IReadOnlyList<LvmPhysical> Physical, IReadOnlyList<LvmLogical> Logical)
{
    private const int SectorSize = 512;

    /// <exception cref="DamagedVolumeException">Something that must be there is not.</exception>
    public static LvmGroup Parse(ReadOnlySpan<byte> text)
    {
        var root = LvmText.Parse(text);
        if (root.Text("contents") != "Text Format Volume Group" || root.Sections.Count != 1)
            throw new DamagedVolumeException("its metadata text does not describe one volume group");
        var (name, group) = root.Sections.First();
        var extent = group.Number("extent_size") * SectorSize;
        if (extent is <= 0 or > 1L << 44)
            throw new DamagedVolumeException("its extents have an impossible size");
        return new LvmGroup(name, group.Number("seqno"), extent,
            [.. group.Inside("physical_volumes").Select(pv => LvmPhysical.Of(pv.Key, pv.Value))],
            [.. group.Inside("logical_volumes").Select(lv => LvmLogical.Of(lv.Key, lv.Value))]);
    }
}

/// <param name="Name">Within the text: <c>pv0</c>.</param>
/// <param name="Uuid">32 characters, without dashes.</param>
/// <param name="Start">First byte of extent 0 on the device.</param>
internal sealed record LvmPhysical(string Name, string Uuid, long Start, long Extents, bool IsMissing)
{
    public static LvmPhysical Of(string name, LvmSection pv) => new(
        name, (pv.Text("id") ?? "").Replace("-", "", StringComparison.Ordinal), pv.Number("pe_start") * 512, pv.Number("pe_count"), pv.Texts("status").Contains("MISSING") || pv.Texts("flags").Contains("MISSING"));
}

/// <param name="Oddity">Why its blocks do not simply follow each other on the device; null: it is linear and whole.</param>
internal sealed record LvmLogical(string Name, IReadOnlyList<LvmSegment> Segments, string? Oddity)
{
    private static readonly string[] s_ordinaryStatus = ["READ", "WRITE", "VISIBLE", "FIXED_MINOR"];

    /// <summary>In extents.</summary>
    public long Extents => Segments.Sum(s => s.Count);

    public static LvmLogical Of(string name, LvmSection lv)
    {
        var segments = lv.Sections.Where(s => s.Key.StartsWith("segment", StringComparison.Ordinal)).Select(s => s.Value).ToList();
        var type = segments.Select(Type).FirstOrDefault(t => t != "linear");
        var status = lv.Texts("status");
        var oddity = type is not null ? type
            : segments.Count != lv.Number("segment_count") || segments.Count == 0 ? "incomplete"
            : !status.Contains("VISIBLE") ? "internal"
            : status.FirstOrDefault(word => !s_ordinaryStatus.Contains(word))?.ToLowerInvariant();
        if (oddity is not null)
            return new LvmLogical(name, [], oddity);
        var placed = segments.ConvertAll(LvmSegment.Of);
        placed.Sort((a, b) => a.Start.CompareTo(b.Start));
        long next = 0;
        foreach (var segment in placed)
        {
            if (segment.Start != next || segment.Count == 0)
                throw new DamagedVolumeException($"the segments of logical volume {name} do not follow each other");
            next += segment.Count;
        }
        return new LvmLogical(name, placed, null);
    }

    /// <summary>LVM writes a linear segment as a stripe of one.</summary>
    private static string Type(LvmSection segment) => segment.Text("type") switch
    {
        "striped" or "linear" when segment.Number("stripe_count") == 1 && segment.Values.GetValueOrDefault("stripes") is [string, long] => "linear",
        var type => type ?? "unknown",
    };
}

/// <param name="Start">First extent of the logical volume.</param>
/// <param name="Pv">Which physical volume.</param>
/// <param name="First">First extent there.</param>
internal sealed record LvmSegment(long Start, long Count, string Pv, long First)
{
    public static LvmSegment Of(LvmSection segment) => new(
        segment.Number("start_extent"), segment.Number("extent_count"), (string)segment.Values["stripes"][0],
        segment.Values["stripes"][1] is long first and >= 0 and < 1L << 40 ? first : throw new DamagedVolumeException("a segment begins at an impossible extent"));
}
