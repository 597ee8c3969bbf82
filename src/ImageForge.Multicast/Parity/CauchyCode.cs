using ImageForge.Multicast.Blocks;

namespace ImageForge.Multicast.Parity;

/// <summary>
/// Systematic Reed–Solomon code over the fragments of a group: row j is Σ fᵢ / (xⱼ + yᵢ) with xⱼ = 255 − j and yᵢ = i. Every square part of
/// a Cauchy matrix has an inverse, so any k of the k + 64 packets of a group give it back (Blömer et al., <i>An XOR-based
/// erasure-resilient coding scheme</i>, 1995). A block is Fragments × FragmentBytes long here, the last fragment filled up with zeros.
/// </summary>
internal static class CauchyCode
{
    private static int X(int row) => 255 - row;

    private static byte Factor(int row, int index) => GaloisField.Invert((byte)(X(row) ^ index));

    /// <summary>Writes one parity row of a group.</summary>
    public static void EncodeRow(ReadOnlySpan<byte> block, BlockShape shape, int group, int row, Span<byte> parity)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)BlockShape.MaxRows);
        parity = parity[..shape.FragmentBytes];
        parity.Clear();
        for (var index = 0; index < shape.GroupSize(group); index++)
            GaloisField.MultiplyAdd(Factor(row, index), Fragment(block, shape, group, index), parity);
    }

    /// <summary>Writes the missing fragments of a group into the block.</summary>
    /// <param name="missing">Indexes of the fragments in their group that did not arrive.</param>
    /// <param name="rows">As many parity rows that did; their bytes stand one after another in <paramref name="parity"/>, which is used up.</param>
    public static void Decode(Span<byte> block, BlockShape shape, int group, ReadOnlySpan<int> missing, ReadOnlySpan<int> rows, Span<byte> parity)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rows.Length, missing.Length);
        // What the rows say of the missing fragments alone.
        for (int index = 0, next = 0; index < shape.GroupSize(group); index++)
        {
            if (next < missing.Length && missing[next] == index)
            {
                next++;
                continue;
            }
            var known = Fragment(block, shape, group, index);
            for (var j = 0; j < rows.Length; j++)
                GaloisField.MultiplyAdd(Factor(rows[j], index), known, parity.Slice(j * shape.FragmentBytes, shape.FragmentBytes));
        }
        Span<int> ofMissing = stackalloc int[missing.Length], ofRows = stackalloc int[rows.Length];
        InverseParts(missing, rows, ofMissing, ofRows);
        for (var i = 0; i < missing.Length; i++)
        {
            var fragment = block.Slice(shape.FragmentAt(group, missing[i]) * shape.FragmentBytes, shape.FragmentBytes);
            fragment.Clear();
            for (var j = 0; j < rows.Length; j++)
            {
                var factor = GaloisField.Exp(ofMissing[i] + ofRows[j] - GaloisField.Log(X(rows[j]) ^ missing[i]));
                GaloisField.MultiplyAdd(factor, parity.Slice(j * shape.FragmentBytes, shape.FragmentBytes), fragment);
            }
        }
    }

    /// <summary>
    /// The inverse of the matrix 1 / (x + y) is known in closed form (Knuth, <i>The Art of Computer Programming</i> 1, 1.2.3, exercise 41): a
    /// product of a part that depends on y, one that depends on x, and 1 / (x + y). These are the logarithms of the two parts.
    /// </summary>
    private static void InverseParts(ReadOnlySpan<int> missing, ReadOnlySpan<int> rows, Span<int> ofMissing, Span<int> ofRows)
    {
        for (var i = 0; i < missing.Length; i++)
        {
            int y = missing[i], x = X(rows[i]);
            for (var k = 0; k < missing.Length; k++)
            {
                ofMissing[i] += GaloisField.Log(X(rows[k]) ^ y) - (k == i ? 0 : GaloisField.Log(y ^ missing[k]));
                ofRows[i] += GaloisField.Log(x ^ missing[k]) - (k == i ? 0 : GaloisField.Log(x ^ X(rows[k])));
            }
        }
    }

    private static ReadOnlySpan<byte> Fragment(ReadOnlySpan<byte> block, BlockShape shape, int group, int index) =>
        block.Slice(shape.FragmentAt(group, index) * shape.FragmentBytes, shape.FragmentBytes);
}
