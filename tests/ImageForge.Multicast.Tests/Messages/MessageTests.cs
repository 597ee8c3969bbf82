using System.Buffers;
using System.Net;
using ImageForge.Multicast.Messages;

namespace ImageForge.Multicast.Tests.Messages;

public sealed class MessageTests
{
    private const int Chunks = 1000;

    internal static ChunkSet Some
    {
        get
        {
            var set = new ChunkSet(Chunks);
            set.AddRun(0, 3);
            set.AddRun(63, 130);
            set.Add(999);
            return set;
        }
    }

    internal static IReadOnlyList<ControlMessage> OfMember =>
    [
        new JoinMessage(1, 4096, Some),
        new ReportMessage(7, 1UL << 40, 3, 4, 5, 6, 7, 8, 9, MemberLimit.Network),
        new NackMessage(7, 99, 12, [0, 64, 3]),
        new LackMessage(2, Some),
        new LackMessage(3, new ChunkSet(Chunks)),
        new LeaveMessage(LeaveReason.NothingHeard),
    ];

    internal static IReadOnlyList<ControlMessage> OfSender =>
    [
        new WelcomeMessage(1, 65535, 9, 0xDEADBEEF, [.. Enumerable.Range(0, 16).Select(i => (byte)i)], [1, 2, 3, 4], IPAddress.Parse("239.1.2.3"), 9000, 1408, Chunks),
        new WelcomeMessage(1, 1, 1, 1, new byte[16], new byte[4], IPAddress.Parse("ff15::4947:1"), 9000, 1408, Chunks),
        new StepMessage(true, false, 500),
        new PassEndMessage(3, 77, 1UL << 33),
        new FinishMessage(FinishReason.Stopped),
        new WaitingMessage(3, 20, uint.MaxValue),
    ];

    [Fact]
    public void Messages_of_a_member_are_read_as_they_were_written_also_several_at_once()
    {
        var bytes = Written(OfMember);
        var read = ReadOfMember(bytes, Chunks, out var bad);
        Assert.False(bad);
        Assert.Equal(OfMember.Select(message => message.GetType()), read.Select(message => message.GetType()));
        Assert.Equal(bytes, Written(read));
    }

    [Fact]
    public void Messages_of_the_sender_are_read_as_they_were_written()
    {
        var bytes = Written(OfSender);
        var read = ReadOfSender(bytes, Chunks, out var bad);
        Assert.False(bad);
        Assert.Equal(bytes, Written(read));
        Assert.Equal(IPAddress.Parse("ff15::4947:1"), ((WelcomeMessage)read[1]).Group);
    }

    [Fact]
    public void A_welcome_does_not_print_its_key() =>
        Assert.DoesNotContain("Key", OfSender[0].ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("0a")] // no such type
    [InlineData("10")] // a type of the sender
    [InlineData("0504")] // no such reason
    [InlineData("02")] // cut off
    [InlineData("0400000001 00000001 000003e7 00000002")] // a run beyond the session
    [InlineData("0400000001 00000002 00000005 00000002 00000007 00000001")] // runs that touch
    [InlineData("0400000001 00000002 00000005 00000002 00000001 00000001")] // runs that go back
    [InlineData("0400000001 00000001 00000005 00000000")] // an empty run
    [InlineData("0400000001 ffffffff 00000005 00000001")] // runs that are not there
    [InlineData("0400000001 00000001 fffffff0 00000020")] // a run around the end of the numbers
    [InlineData("0101 00001000 000003e9 00000000")] // another session
    [InlineData("0307 0000000000000001 00000001 0001 41")] // more rows than there are
    [InlineData("0307 0000000000000001 00000001 ffff 01")] // groups that are not there
    [InlineData("0307 0000000000000001 00000001 0000")] // a request for nothing
    public void What_a_member_cannot_say_is_refused(string hex)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.Empty(ReadOfMember(bytes, Chunks, out var bad));
        Assert.True(bad);
    }

    internal static byte[] Written(IEnumerable<ControlMessage> messages)
    {
        var buffer = new ArrayBufferWriter<byte>();
        foreach (var message in messages)
            message.Write(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    internal static List<ControlMessage> ReadOfMember(ReadOnlySpan<byte> bytes, int chunks, out bool bad)
    {
        var reader = new MessageReader(bytes, chunks);
        var read = new List<ControlMessage>();
        while (reader.NextOfMember() is { } message)
            read.Add(message);
        bad = reader.Bad;
        return read;
    }

    internal static List<ControlMessage> ReadOfSender(ReadOnlySpan<byte> bytes, int chunks, out bool bad)
    {
        var reader = new MessageReader(bytes, chunks);
        var read = new List<ControlMessage>();
        while (reader.NextOfSender() is { } message)
            read.Add(message);
        bad = reader.Bad;
        return read;
    }
}
