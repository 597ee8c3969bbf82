using System.Net;
using ImageForge.Multicast.Frames;
using ImageForge.Multicast.Receiving;

namespace ImageForge.Multicast.Tests.Receiving;

public sealed class LongFramesTests
{
    [Theory]
    [InlineData(16)]
    [InlineData(8)]
    [InlineData(1)]
    public void A_block_of_a_frame_that_nothing_compressed_is_kept_for_its_repair_while_the_next_one_comes(int mebibytes)
    {
        var content = new SessionContent([mebibytes << 20, mebibytes << 20]);
        var room = MulticastReceiver.BlockBytesFor(new ReceiverOptions("lo", 1, IPAddress.Loopback, TimeSpan.FromSeconds(5)), content);
        var core = new ReceiverCore(new ReceiverCoreOptions(5_000_000, OpenBytes: room * 3L / 4), ChunkSet.Full(2), new Random(1));
        core.Welcome(1, 1, 1408, 0);
        var length = content.LongestFrame(0) + 64;
        Assert.Equal(Admission.Open, core.Admit(1, length, hasRoom: true));
        Assert.Equal(Admission.Open, core.Admit(2, length, hasRoom: true));
        Assert.Equal((2, 0), (core.OpenBlocks, core.Dropped.Count));
        Assert.True(room >= 2 * (length + (128 << 10)), $"{room} bytes are not enough for two blocks of {length}");
    }
}
