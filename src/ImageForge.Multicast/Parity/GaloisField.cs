using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace ImageForge.Multicast.Parity;

/// <summary>GF(256) with polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11d) and generator 2. Addition is exclusive or.</summary>
internal static class GaloisField
{
    private const int Polynomial = 0x11d;

    private static readonly byte[] s_exp = new byte[512];
    private static readonly byte[] s_log = new byte[256];

    /// <summary>Per factor 32 bytes: its products with 0…15, and with 0x00, 0x10 … 0xf0. Two shuffles multiply a vector.</summary>
    private static readonly byte[] s_nibbles = new byte[256 * 32];

    static GaloisField()
    {
        var value = 1;
        for (var power = 0; power < 255; power++)
        {
            s_exp[power] = s_exp[power + 255] = (byte)value;
            s_log[value] = (byte)power;
            value <<= 1;
            if (value > 255)
                value ^= Polynomial;
        }
        for (var factor = 0; factor < 256; factor++)
            for (var nibble = 0; nibble < 16; nibble++)
            {
                s_nibbles[(factor * 32) + nibble] = Multiply((byte)factor, (byte)nibble);
                s_nibbles[(factor * 32) + 16 + nibble] = Multiply((byte)factor, (byte)(nibble << 4));
            }
    }

    public static byte Multiply(byte left, byte right) => left == 0 || right == 0 ? (byte)0 : s_exp[s_log[left] + s_log[right]];

    /// <exception cref="DivideByZeroException">Zero has no inverse.</exception>
    public static byte Invert(byte value) => value == 0 ? throw new DivideByZeroException() : s_exp[255 - s_log[value]];

    /// <summary>The power of the generator that gives the value, which is not 0.</summary>
    public static int Log(int value) => s_log[value];

    /// <summary>2^power for any power.</summary>
    public static byte Exp(int power) => s_exp[((power % 255) + 255) % 255];

    /// <summary>target ^= factor × source, with the widest vectors the machine has.</summary>
    public static void MultiplyAdd(byte factor, ReadOnlySpan<byte> source, Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(target.Length, source.Length);
        if (Avx2.IsSupported)
            MultiplyAdd256(factor, source, target);
        else if (Ssse3.IsSupported || AdvSimd.IsSupported)
            MultiplyAdd128(factor, source, target);
        else if (Vector128.IsHardwareAccelerated)
            MultiplyAddDoubling(factor, source, target);
        else
            MultiplyAddScalar(factor, source, target);
    }

    /// <summary>The reference that the vectors are tested against.</summary>
    public static void MultiplyAddScalar(byte factor, ReadOnlySpan<byte> source, Span<byte> target)
    {
        for (var i = 0; i < source.Length; i++)
            target[i] ^= Multiply(factor, source[i]);
    }

    public static void MultiplyAdd128(byte factor, ReadOnlySpan<byte> source, Span<byte> target)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target);
        var low = Vector128.LoadUnsafe(ref s_nibbles[0], (nuint)factor * 32);
        var high = Vector128.LoadUnsafe(ref s_nibbles[0], ((nuint)factor * 32) + 16);
        var mask = Vector128.Create((byte)0x0f);
        var at = 0;
        for (; at <= source.Length - 16; at += 16)
        {
            var data = Vector128.LoadUnsafe(ref from, (nuint)at);
            var product = Shuffle(low, data & mask) ^ Shuffle(high, (data.AsUInt16() >>> 4).AsByte() & mask);
            (product ^ Vector128.LoadUnsafe(ref to, (nuint)at)).StoreUnsafe(ref to, (nuint)at);
        }
        MultiplyAddScalar(factor, source[at..], target[at..]);
    }

    /// <summary>
    /// Without a shuffle: the source is doubled seven times, and what the factor has a bit for is added. A program compiled ahead of time
    /// for size, as the agent is, believes in SSE2 only, whatever the machine has.
    /// </summary>
    public static void MultiplyAddDoubling(byte factor, ReadOnlySpan<byte> source, Span<byte> target)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target);
        var reduction = Vector128.Create((byte)(Polynomial & 0xff));
        var at = 0;
        for (; at <= source.Length - 64; at += 64)
        {
            var (a, b, c, d) = (Vector128.LoadUnsafe(ref from, (nuint)at), Vector128.LoadUnsafe(ref from, (nuint)at + 16), Vector128.LoadUnsafe(ref from, (nuint)at + 32), Vector128.LoadUnsafe(ref from, (nuint)at + 48));
            var (w, x, y, z) = (Vector128.LoadUnsafe(ref to, (nuint)at), Vector128.LoadUnsafe(ref to, (nuint)at + 16), Vector128.LoadUnsafe(ref to, (nuint)at + 32), Vector128.LoadUnsafe(ref to, (nuint)at + 48));
            for (int bits = factor; ; (a, b, c, d) = (Double(a, reduction), Double(b, reduction), Double(c, reduction), Double(d, reduction)))
            {
                if ((bits & 1) != 0)
                    (w, x, y, z) = (w ^ a, x ^ b, y ^ c, z ^ d);
                bits >>= 1;
                if (bits == 0)
                    break;
            }
            w.StoreUnsafe(ref to, (nuint)at);
            x.StoreUnsafe(ref to, (nuint)at + 16);
            y.StoreUnsafe(ref to, (nuint)at + 32);
            z.StoreUnsafe(ref to, (nuint)at + 48);
        }
        MultiplyAddScalar(factor, source[at..], target[at..]);
    }

    public static void MultiplyAdd256(byte factor, ReadOnlySpan<byte> source, Span<byte> target)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target);
        var both = Vector256.LoadUnsafe(ref s_nibbles[0], (nuint)factor * 32);
        var low = Vector256.Create(both.GetLower(), both.GetLower());
        var high = Vector256.Create(both.GetUpper(), both.GetUpper());
        var mask = Vector256.Create((byte)0x0f);
        var at = 0;
        for (; at <= source.Length - 32; at += 32)
        {
            var data = Vector256.LoadUnsafe(ref from, (nuint)at);
            var product = Avx2.Shuffle(low, data & mask) ^ Avx2.Shuffle(high, (data.AsUInt16() >>> 4).AsByte() & mask);
            (product ^ Vector256.LoadUnsafe(ref to, (nuint)at)).StoreUnsafe(ref to, (nuint)at);
        }
        MultiplyAddScalar(factor, source[at..], target[at..]);
    }

    /// <summary>Each byte times 2: a carry out of its top bit is taken back by the polynomial.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Double(Vector128<byte> value, Vector128<byte> reduction) =>
        (value + value) ^ (Vector128.LessThan(value.AsSByte(), Vector128<sbyte>.Zero).AsByte() & reduction);

    /// <summary>All indexes are below 16, so that the instruction needs no masking; elsewhere than on x86 the general form is one as well.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Shuffle(Vector128<byte> table, Vector128<byte> indexes) =>
        Ssse3.IsSupported ? Ssse3.Shuffle(table, indexes) : Vector128.Shuffle(table, indexes);
}
