using ImageForge.Agent.Server;

namespace ImageForge.Agent.Tests.Server;

public sealed class BackoffTests
{
    [Fact]
    public void Waits_double_up_to_ten_seconds_and_differ_between_machines()
    {
        var (one, other) = (new Backoff(new Random(1)), new Backoff(new Random(2)));
        double most = 0.5;
        var differ = false;
        for (var i = 0; i < 12; i++)
        {
            var (a, b) = (one.Next().TotalSeconds, other.Next().TotalSeconds);
            Assert.InRange(a, most / 2, most);
            Assert.InRange(b, most / 2, most);
            differ |= Math.Abs(a - b) > most / 50;
            most = Math.Min(most * 2, 10);
        }
        Assert.True(differ);
    }
}
