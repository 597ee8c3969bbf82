using ImageForge.Imaging.Capture;

namespace ImageForge.Imaging.Tests.Capture;

public sealed class AdaptiveLevelTests
{
    private static int After(AdaptiveLevel level, int chunks, int waitingToSend, int waitingToCompress)
    {
        for (var i = 0; i < chunks; i++)
            level.Next(waitingToSend, 4, waitingToCompress);
        return level.Level;
    }

    [Fact]
    public void Rises_to_its_bound_while_the_network_is_behind() => Assert.Equal(9, After(new AdaptiveLevel(1, 9), 1000, waitingToSend: 8, waitingToCompress: 50));

    [Fact]
    public void Falls_to_its_bound_while_the_processor_is_behind()
    {
        var level = new AdaptiveLevel(2, 9);
        After(level, 1000, waitingToSend: 8, waitingToCompress: 50);
        Assert.Equal(2, After(level, 1000, waitingToSend: 0, waitingToCompress: 50));
    }

    [Fact]
    public void Stays_where_neither_is()
    {
        var level = new AdaptiveLevel(1, 9);
        var risen = After(level, 100, waitingToSend: 8, waitingToCompress: 50);
        Assert.InRange(risen, 3, 6);
        // The disk is what everything waits for: nothing to compress, nothing to send.
        Assert.Equal(risen, After(level, 1000, waitingToSend: 0, waitingToCompress: 0));
    }

    [Fact]
    public void A_few_frames_in_the_queue_do_not_count() => Assert.Equal(1, After(new AdaptiveLevel(1, 9), 1000, waitingToSend: 2, waitingToCompress: 50));
}
