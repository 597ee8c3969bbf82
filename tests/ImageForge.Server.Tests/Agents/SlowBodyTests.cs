using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using ImageForge.Server.Agents;
using ImageForge.Server.Listening;
using Microsoft.AspNetCore.Http;

namespace ImageForge.Server.Tests.Agents;

public sealed class SlowBodyTests
{
    [Fact]
    public async Task A_check_in_that_never_sends_its_body_is_cut_off_within_seconds()
    {
        await using var server = await TestServer.StartAsync();
        using var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", server.Get<ServerAddresses>().HttpsPort);
        var known = server.Get<ServerCertificate>().Certificate.GetCertHashString();
        await using var tls = new SslStream(tcp.GetStream(), false, (_, certificate, _, _) => certificate?.GetCertHashString() == known);
        await tls.AuthenticateAsClientAsync("localhost");
        await tls.WriteAsync("POST /agent/v1/check-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n{"u8.ToArray());
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var answer = new byte[4096];
        var read = 0;
        try
        {
            read = await tls.ReadAsync(answer, limit.Token);
        }
        catch (IOException)
        {
            // Cut without a word: fine, too.
        }
        Assert.True(read == 0 || Encoding.ASCII.GetString(answer, 0, read).StartsWith("HTTP/1.1 408", StringComparison.Ordinal), Encoding.ASCII.GetString(answer, 0, read));
    }

    [Fact]
    public async Task A_body_that_stops_is_answered_after_the_patience()
    {
        var context = new DefaultHttpContext();
        context.Request.ContentLength = 100;
        context.Request.Body = new Trickle(10, stops: true);
        var start = Stopwatch.GetTimestamp();
        var (bytes, problem) = await AgentBody.ReadAsync(context, 1000, TimeSpan.FromMilliseconds(50), default);
        Assert.Null(bytes);
        Assert.Equal(408, problem!.StatusCode);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Memory_follows_what_arrives_not_what_is_announced()
    {
        var context = new DefaultHttpContext();
        var body = new Trickle(200_000, stops: false);
        context.Request.ContentLength = 16 << 20;
        context.Request.Body = body;
        var (bytes, _) = await AgentBody.ReadAsync(context, 16 << 20, TimeSpan.FromSeconds(30), default);
        Assert.Equal(200_000, bytes!.Value.Length);
        Assert.True(body.Largest <= 256 << 10, $"asked for {body.Largest} bytes at once");
        Assert.All(bytes.Value.ToArray().Index(), b => Assert.Equal((byte)b.Index, b.Item));
    }

    [Theory]
    [InlineData(0, 100, true)]
    [InlineData(100, 100, true)]
    [InlineData(101, 100, false)]
    [InlineData(16384, 20000, true)]
    [InlineData(16385, 20000, true)]
    [InlineData(20000, 20000, true)]
    [InlineData(20001, 20000, false)]
    public async Task The_bound_is_exact_when_no_length_is_announced(int sent, int max, bool fits)
    {
        var context = new DefaultHttpContext();
        context.Request.Body = new Trickle(sent, stops: false);
        var (bytes, problem) = await AgentBody.ReadAsync(context, max, TimeSpan.FromSeconds(30), default);
        Assert.Equal(fits ? sent : null, bytes?.Length);
        Assert.Equal(fits, problem is null);
    }

    /// <summary>A body of <c>0, 1, 2 …</c>, some thousand bytes at a time; at its end it ends or says nothing any more.</summary>
    private sealed class Trickle(int total, bool stops) : Stream
    {
        private int _sent;

        public int Largest { get; private set; }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Largest = Math.Max(Largest, buffer.Length);
            if (_sent == total && stops)
                await Task.Delay(Timeout.Infinite, cancellationToken);
            var count = Math.Min(Math.Min(buffer.Length, 3000), total - _sent);
            for (var i = 0; i < count; i++)
                buffer.Span[i] = (byte)_sent++;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
