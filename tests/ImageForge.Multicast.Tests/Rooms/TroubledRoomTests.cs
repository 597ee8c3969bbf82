using ImageForge.Lab.Networks;

namespace ImageForge.Multicast.Tests.Rooms;

/// <summary>What is timed shares the machine with no other test of this project.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Real sockets, real loss: who has trouble finishes by the stream or is told to fetch the rest, and nobody else notices.</summary>
[Collection(nameof(Alone))]
public sealed class TroubledRoomTests
{
    /// <summary>Seconds within which healthy receivers are done. The machine that tests may be busy; a room held up by one member takes many times longer.</summary>
    private const double Healthy = (Rollout.Once * 1.5) + 1;

    [Theory]
    [InlineData("239.77.1.1:9000")]
    [InlineData("[ff15::77:1]:9000")]
    public async Task A_deaf_a_lossy_a_paused_and_a_slow_receiver_do_not_hold_up_the_healthy(string group)
    {
        await using var room = await Rollout.CreateAsync(6, group);
        await MulticastRoom.LoseAsync(room.Room.Receivers[2], 1000);
        await MulticastRoom.LoseAsync(room.Room.Receivers[3], 200);
        var healthy = new[] { await room.JoinAsync(0), await room.JoinAsync(1) };
        var deaf = await room.JoinAsync(2);
        var lossy = await room.JoinAsync(3);
        var paused = await room.JoinAsync(4);
        // A quarter of what the stream brings.
        var slow = await room.JoinAsync(5, "--sink", $"{Rollout.BitsPerSecond / 8 / 4:F0}");
        var started = await room.StartAsync();

        await Task.Delay(TimeSpan.FromSeconds(Rollout.Once / 4));
        await Rollout.SignalAsync(paused, "STOP");
        foreach (var receiver in healthy)
        {
            var (end, seconds, words) = await room.EndAsync(receiver, started);
            Assert.True(Rollout.IsByStream(words) && seconds < Healthy, $"{end} after {seconds:F1} s; {room.Said}");
            Assert.Equal("0", words["refused"]);
        }
        // Longer than the sender's patience with a member that says nothing.
        await Task.Delay(4000);
        await Rollout.SignalAsync(paused, "CONT");

        Assert.Equal("NothingHeard", (await room.EndAsync(deaf, started)).End);
        Assert.Contains((await room.EndAsync(lossy, started)).End, (string[])["Complete", "GoOnOverHttp"]);
        Assert.Contains((await room.EndAsync(slow, started)).End, (string[])["Complete", "GoOnOverHttp"]);
        // Forgotten meanwhile, it found its channel closed, or the stream gone without it.
        await room.EndAsync(paused, started);
    }

    [Fact]
    public async Task Who_joins_at_nine_tenths_or_comes_back_from_a_power_cut_gets_all_of_it()
    {
        await using var room = await Rollout.CreateAsync(3);
        var healthy = await room.JoinAsync(0);
        var killed = await room.JoinAsync(1);
        var started = await room.StartAsync();
        await Task.Delay(TimeSpan.FromSeconds(Rollout.Once / 3));
        killed.Kill();
        var again = await room.JoinAsync(1);
        while (PeerProcess.Number(await room.FiguresAsync(), "done") is var done && done < Rollout.Chunks * 0.9
            && System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds < Rollout.Once * 0.9)
            await Task.Delay(50);
        var late = await room.JoinAsync(2);

        var (end, seconds, words) = await room.EndAsync(healthy, started);
        Assert.True(Rollout.IsByStream(words) && seconds < Healthy, $"{end} after {seconds:F1} s; {room.Said}");
        foreach (var receiver in (PeerProcess[])[again, late])
        {
            var (itsEnd, itsSeconds, itsWords) = await room.EndAsync(receiver, started);
            // One more time through, and what the machine's load adds.
            Assert.True(Rollout.IsByStream(itsWords) && itsSeconds < (Rollout.Once * 3) + 2, $"{itsEnd} after {itsSeconds:F1} s; {room.Said}");
        }
    }

    [Theory]
    [InlineData("239.77.1.1:9000")]
    [InlineData("[ff15::77:1]:9000")]
    public async Task A_machine_without_the_key_changes_nothing(string group)
    {
        await using var room = await Rollout.CreateAsync(3, group);
        var receivers = new[] { await room.JoinAsync(0), await room.JoinAsync(1) };
        var attacker = room.Attack(2);
        await attacker.HearAsync("attacking", 20);
        var started = await room.StartAsync();
        foreach (var receiver in receivers)
        {
            var (end, seconds, words) = await room.EndAsync(receiver, started);
            Assert.True(Rollout.IsByStream(words) && seconds < Healthy, $"{end} after {seconds:F1} s; {room.Said}");
            Assert.True(PeerProcess.Number(words, "refused") > 100, room.Said);
            Assert.True(PeerProcess.Number(words, "strangers") > 100, room.Said);
        }
        await attacker.TellAsync("enough");
        Assert.True(double.Parse((await attacker.HearAsync("attacked", 10)).Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) > 1000);
    }
}
