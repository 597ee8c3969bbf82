using System.Runtime.Intrinsics.X86;
using ImageForge.Multicast.Parity;

namespace ImageForge.Multicast.Tests.Parity;

public sealed class GaloisFieldTests
{
    /// <summary>Multiplication of polynomials with the reduction spelled out.</summary>
    private static byte Slowly(int left, int right)
    {
        var product = 0;
        for (var bit = 0; bit < 8; bit++)
            if ((right >> bit & 1) != 0)
                product ^= left << bit;
        for (var bit = 14; bit >= 8; bit--)
            if ((product >> bit & 1) != 0)
                product ^= 0x11d << (bit - 8);
        return (byte)product;
    }

    [Fact]
    public void Multiplies_as_polynomials_do()
    {
        for (var left = 0; left < 256; left++)
            for (var right = 0; right < 256; right++)
                Assert.Equal(Slowly(left, right), GaloisField.Multiply((byte)left, (byte)right));
    }

    [Fact]
    public void Every_value_but_zero_has_an_inverse()
    {
        for (var value = 1; value < 256; value++)
            Assert.Equal(1, GaloisField.Multiply((byte)value, GaloisField.Invert((byte)value)));
        Assert.Throws<DivideByZeroException>(() => GaloisField.Invert(0));
    }

    [Fact]
    public void Vectors_give_the_bytes_of_the_scalar_code()
    {
        var random = new Random(4);
        for (var factor = 0; factor < 256; factor++)
            foreach (var length in (int[])[0, 1, 15, 16, 31, 33, 64, 1408])
            {
                byte[] source = new byte[length], target = new byte[length];
                random.NextBytes(source);
                random.NextBytes(target);
                byte[] expected = [.. target], narrow = [.. target], doubled = [.. target], wide = [.. target];
                GaloisField.MultiplyAddScalar((byte)factor, source, expected);
                GaloisField.MultiplyAdd((byte)factor, source, target);
                GaloisField.MultiplyAdd128((byte)factor, source, narrow);
                Assert.Equal(expected, target);
                GaloisField.MultiplyAddDoubling((byte)factor, source, doubled);
                Assert.Equal(expected, narrow);
                Assert.Equal(expected, doubled);
                if (Avx2.IsSupported)
                {
                    GaloisField.MultiplyAdd256((byte)factor, source, wide);
                    Assert.Equal(expected, wide);
                }
            }
    }
}
