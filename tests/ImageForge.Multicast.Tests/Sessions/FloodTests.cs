using System.Buffers;
using ImageForge.Multicast.Messages;

namespace ImageForge.Multicast.Tests.Sessions;

/// <summary>Members that fill a WebSocket message with more than a member has to say.</summary>
[Collection("loopback")]
public sealed class FloodTests : IDisposable
{
    private readonly LoopbackSession _session = new(chunks: 300, longest: 4096);

    [Theory]
    [InlineData(1, 100, false)]
    [InlineData(2, 0, true)]
    [InlineData(0, 300, true)]
    public async Task A_member_that_says_too_much_at_once_is_turned_out(int lacks, int reports, bool refused)
    {
        await using var sender = _session.NewSender(epoch: 1);
        var pair = new ChannelPair();
        var serving = sender.ServeAsync(pair.Sender, "pc", _session.Cancel);
        await SayAsync(pair, [new JoinMessage(ControlMessage.Version, 4096, ChunkSet.Full(300))]);
        await SayAsync(pair,
        [
            .. Enumerable.Repeat(new ReportMessage(1, 0, 0, 0, 0, 0, 0, 300, 0, MemberLimit.None), reports),
            .. Enumerable.Repeat(new LackMessage(0, ChunkSet.Full(300)), lacks),
        ]);
        pair.Break();

        Assert.Equal(refused ? MemberEnd.Refused : MemberEnd.Lost, await serving);
        Assert.Equal(refused ? 1 : 0, sender.Figures().Refused);
    }

    public void Dispose() => _session.Dispose();

    private async Task SayAsync(ChannelPair pair, IEnumerable<ControlMessage> messages)
    {
        var buffer = new ArrayBufferWriter<byte>();
        foreach (var message in messages)
            message.Write(buffer);
        await pair.Member.SendAsync(buffer.WrittenMemory, _session.Cancel);
    }
}
