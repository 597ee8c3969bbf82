using System.Collections.Concurrent;
using System.Net;
using ImageForge.Contracts;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.Pxe;
using ImageForge.NetBoot.Tftp;
using ImageForge.Server.Boot;
using ImageForge.Server.BootServices;
using ImageForge.Server.Tests.Boot;
using Microsoft.Extensions.Logging;

namespace ImageForge.Server.Tests.BootServices;

public sealed class BootTrafficTests : IAsyncLifetime
{
    private static readonly MacAddress Mac = MacAddress.Parse("52:54:00:aa:bb:01");
    private static readonly IPAddress Address = IPAddress.Parse("10.1.2.3");

    private static readonly BootInterface On = new("if-test", IPAddress.Parse("10.1.0.1"), IPAddress.Parse("255.255.0.0"), 7);

    private readonly RememberingLogger _log = new();
    private BootServer _server = null!;
    private BootTraffic _traffic = null!;

    public async Task InitializeAsync()
    {
        _server = await BootServer.StartAsync();
        _traffic = new BootTraffic(_server.Server.Get<BootTimeline>(), _server.Server.Get<DhcpAddressBook>(), _server.Neighbours, _server.Server.Clock, _log);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    private void Record(DhcpExchange exchange, bool leasesAreOurs = false) => _traffic.Record(exchange, On, leasesAreOurs);

    private Task<IReadOnlyList<BootEvent>> TimelineAsync(int count) => BootServer.EventuallyAsync(
        () => _server.Server.Get<BootTimeline>().ListAsync(Mac, null, 100, CancellationToken.None), e => e.Count >= count);

    [Theory]
    [InlineData(DhcpExchangeKind.Acknowledged, true)]
    [InlineData(DhcpExchangeKind.Observed, true)]
    [InlineData(DhcpExchangeKind.Offered, false)]
    [InlineData(DhcpExchangeKind.Refused, false)]
    [InlineData(DhcpExchangeKind.Ignored, false)]
    public void Only_an_address_that_was_taken_ties(DhcpExchangeKind kind, bool ties)
    {
        Record(new DhcpExchange(kind, 67) { Mac = Mac, Address = Address });
        Assert.Equal(ties ? Mac : null, _server.Server.Get<DhcpAddressBook>().Find(Address));
        Assert.Equal(kind == DhcpExchangeKind.Observed, _traffic.OtherDhcpSeenAt is not null);
    }

    [Fact]
    public async Task The_network_doctors_questions_leave_no_trace()
    {
        var doctor = NetDoctor.NetworkDoctor.TestMac;
        Record(new DhcpExchange(DhcpExchangeKind.Offered, 67) { Mac = doctor, Client = new BootClient(doctor), BootFile = "a.efi" });
        Record(new DhcpExchange(DhcpExchangeKind.Offered, 67) { Mac = Mac, Client = new BootClient(Mac), BootFile = "a.efi" });
        await TimelineAsync(1);
        Assert.Empty(await _server.Server.Get<BootTimeline>().ListAsync(doctor, null, 100, CancellationToken.None));
    }

    [Fact]
    public void An_address_of_another_network_never_ties()
    {
        var elsewhere = IPAddress.Parse("10.2.2.3");
        foreach (var kind in new[] { DhcpExchangeKind.Acknowledged, DhcpExchangeKind.Observed })
            Record(new DhcpExchange(kind, 4011) { Mac = Mac, Address = elsewhere, Request = DhcpMessageType.Request });
        Assert.Null(_server.Server.Get<DhcpAddressBook>().Find(elsewhere));
    }

    [Theory]
    [InlineData(DhcpExchangeKind.Acknowledged, DhcpMessageType.Request, true)]
    [InlineData(DhcpExchangeKind.Acknowledged, DhcpMessageType.Inform, false)]
    [InlineData(DhcpExchangeKind.Observed, DhcpMessageType.Request, false)]
    public void Where_leases_are_ours_only_our_lease_ties(DhcpExchangeKind kind, DhcpMessageType request, bool ties)
    {
        Record(new DhcpExchange(kind, 67) { Mac = Mac, Address = Address, Request = request }, leasesAreOurs: true);
        Assert.Equal(ties ? Mac : null, _server.Server.Get<DhcpAddressBook>().Find(Address));
    }

    [Fact]
    public void An_address_given_back_ties_no_more()
    {
        Record(new DhcpExchange(DhcpExchangeKind.Acknowledged, 67) { Mac = Mac, Address = Address });
        Record(new DhcpExchange(DhcpExchangeKind.Released, 67) { Mac = Mac, Address = Address });
        Assert.Null(_server.Server.Get<DhcpAddressBook>().Find(Address));
    }

    [Fact]
    public async Task A_machine_without_a_boot_file_is_one_clear_line_in_log_and_timeline()
    {
        var exchange = new DhcpExchange(DhcpExchangeKind.Ignored, 67)
        {
            Mac = Mac,
            Client = new BootClient(Mac) { Architecture = ClientArchitecture.Arm64 },
            Reason = DhcpIgnoreReason.NoBootFile,
            Detail = "no boot file for UEFI ARM64 is installed; only BIOS and UEFI x64 are served",
        };
        for (var i = 0; i < 10; i++)
            Record(exchange);
        Assert.Equal($"{Mac}: {exchange.Detail}", Assert.Single(_log.Lines));
        Assert.Equal($"UEFI ARM64 got no answer: {exchange.Detail}", (await TimelineAsync(1))[0].Detail);
    }

    [Fact]
    public async Task Offer_and_transfer_are_steps_of_the_timeline()
    {
        Record(new DhcpExchange(DhcpExchangeKind.Offered, 67) { Mac = Mac, Client = new BootClient(Mac) { Architecture = ClientArchitecture.X64 }, BootFile = "snponly.efi" });
        await TimelineAsync(1);
        _server.Neighbours.Entries[Address] = Mac;
        _traffic.Record(new TftpTransferReport(new IPEndPoint(Address, 2070), "snponly.efi", TftpOutcome.Completed) { Bytes = 284672, Length = 284672, Elapsed = TimeSpan.FromMilliseconds(85) });
        var events = await TimelineAsync(2);
        Assert.Equal(["UEFI x64 was offered snponly.efi", "snponly.efi sent"], events.Select(e => e.Detail));
        Assert.Equal((284672L, 85L), (events[1].Bytes, events[1].Millis));
    }

    [Fact]
    public void Forged_packets_without_a_usable_address_leave_no_trace()
    {
        foreach (var mac in new[] { "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01" })
            Record(new DhcpExchange(DhcpExchangeKind.Observed, 67) { Mac = MacAddress.Parse(mac), Address = Address });
        Record(new DhcpExchange(DhcpExchangeKind.Ignored, 67) { Reason = DhcpIgnoreReason.TooShort });
        Assert.Null(_server.Server.Get<DhcpAddressBook>().Find(Address));
        Assert.Empty(_log.Lines);
    }

    private sealed class RememberingLogger : ILogger<BootTraffic>
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));
    }
}
