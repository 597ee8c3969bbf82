using System.Net;
using ImageForge.NetDoctor.Queriers;
using static ImageForge.NetDoctor.Tests.Queriers.GroupMessages;

namespace ImageForge.NetDoctor.Tests.Queriers;

public sealed class GroupParserTests
{
    [Fact]
    public void Queries_of_every_version_are_told_apart()
    {
        Assert.Equal(new GroupMessage(GroupMessageKind.Query, 1, null), ReadIgmp(V1Query));
        Assert.Equal(new GroupMessage(GroupMessageKind.Query, 2, null, TimeSpan.FromSeconds(10)), ReadIgmp(V2Query));
        Assert.Equal(new GroupMessage(GroupMessageKind.Query, 2, IPAddress.Parse("239.255.1.2"), TimeSpan.FromSeconds(1)), ReadIgmp(V2GroupQuery));
        Assert.Equal(new GroupMessage(GroupMessageKind.Query, 3, null, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(125)), ReadIgmp(V3Query));
        // 0xff is the largest of the small floating-point numbers: 31 × 2^10.
        Assert.Equal(TimeSpan.FromSeconds(31744), ReadIgmp(V3SlowQuery)!.QueryInterval);
        Assert.Equal(new GroupMessage(GroupMessageKind.Query, 1, null, TimeSpan.FromSeconds(10)), ReadMld(MldQuery));
        Assert.Equal(new GroupMessage(GroupMessageKind.Query, 2, null, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(125)), ReadMld(MldV2Query));
    }

    [Fact]
    public void Reports_and_leaves_name_their_groups()
    {
        Assert.Equal(new GroupMessage(GroupMessageKind.Leave, 2, IPAddress.Parse("239.255.1.2")), ReadIgmp(Leave));
        Assert.Equal(new GroupMessage(GroupMessageKind.Report, 3, IPAddress.Parse("239.255.1.2"), Groups: 2), ReadIgmp(V3Report));
        Assert.Equal(new GroupMessage(GroupMessageKind.Leave, 1, IPAddress.Parse("ff12::4946:102")), ReadMld(MldDone));
        Assert.Equal(new GroupMessage(GroupMessageKind.Report, 2, IPAddress.Parse("ff12::4946:102")), ReadMld(MldReport));
        // What the probe sends is what the parser reads.
        Assert.Equal(new GroupMessage(GroupMessageKind.Report, 2, IPAddress.Parse("239.255.1.2")), ReadIgmp(GroupProbe.Message(0x16, IPAddress.Parse("239.255.1.2"))));
    }

    [Fact]
    public void A_wrong_checksum_or_length_is_no_message()
    {
        var damaged = (byte[])V2Query.Clone();
        damaged[1] ^= 1;
        Assert.Null(ReadIgmp(damaged));
        Assert.Null(ReadIgmp(V3Report[..^1]));
        // Between the length of version 2 and that of version 3 there is nothing.
        Assert.Null(ReadIgmp(Igmp("11 64 0000 00000000 0000")));
        // One source is announced, none is there.
        Assert.Null(ReadIgmp(Igmp("11 64 0000 00000000 02 7d 0001")));
        var mld = (byte[])MldQuery.Clone();
        mld[^1] ^= 1;
        Assert.Null(ReadMld(mld));
        Assert.Null(ReadMld(MldQuery[..^1]));
    }
}
