using System.Runtime.CompilerServices;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Tests.Disks;

/// <summary>Alone, because the pool is one for the whole process.</summary>
[Collection(nameof(AlignedBufferTests))]
[CollectionDefinition(nameof(AlignedBufferTests), DisableParallelization = true)]
public sealed class AlignedBufferTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(1 << 20)]
    [InlineData((1 << 20) + 1)]
    public unsafe void Starts_on_a_4096_byte_boundary_with_the_length_asked_for(int length)
    {
        using var buffer = AlignedBuffer.Rent(length);
        fixed (byte* start = buffer.Span)
            Assert.Equal(0, (nint)start % 4096);
        Assert.Equal((length, length), (buffer.Span.Length, buffer.Memory.Length));
        buffer.Span.Fill(1);
    }

    [Fact]
    public void Memory_that_was_given_back_is_used_again()
    {
        AlignedBuffer.EmptyPool();
        for (var i = 0; i < 3; i++)
            AlignedBuffer.Rent(9 << 20).Dispose();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            AlignedBuffer.Rent(9 << 20).Dispose();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void A_buffer_given_back_cannot_be_used_and_is_not_given_back_twice()
    {
        var buffer = AlignedBuffer.Rent(8192);
        buffer.Dispose();
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.Memory);
        using var a = AlignedBuffer.Rent(8192);
        using var b = AlignedBuffer.Rent(8192);
        Assert.False(Unsafe.AreSame(ref a.Span[0], ref b.Span[0]));
    }
}
