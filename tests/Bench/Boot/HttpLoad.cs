using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImageForge.Bench.Boot;

/// <param name="Milliseconds">One per question, sorted.</param>
/// <param name="Sample">Body of one answer.</param>
internal sealed record LoadResult(TimeSpan Elapsed, double[] Milliseconds, IReadOnlyList<string> Failures, string Sample)
{
    public int Count => Milliseconds.Length;
    public double PerSecond => Count / Elapsed.TotalSeconds;
    public double Percentile(double part) => Milliseconds.Length == 0 ? 0 : Milliseconds[Math.Min(Milliseconds.Length - 1, (int)(part * Milliseconds.Length))];
}

/// <summary>Sends ready-made requests over a fixed number of connections, each waiting for its answer before it asks again.</summary>
internal static class HttpLoad
{
    public static async Task<LoadResult> RunAsync(IPEndPoint server, byte[][] requests, int connections, int total)
    {
        var times = new double[total];
        var failures = new List<string>();
        var next = -1;
        var sample = "";
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(async () =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            var buffer = new byte[16 * 1024];
            try
            {
                await socket.ConnectAsync(server);
                int index;
                while ((index = Interlocked.Increment(ref next)) < total)
                {
                    var start = Stopwatch.GetTimestamp();
                    await socket.SendAsync(requests[index % requests.Length]);
                    var (head, length) = await ReceiveAsync(socket, buffer);
                    times[index] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                    var answer = buffer.AsSpan(0, length);
                    if (!answer.StartsWith("HTTP/1.1 200"u8) || !answer[head..].StartsWith("#!ipxe\n"u8))
                        throw new InvalidDataException(Encoding.ASCII.GetString(answer[..Math.Min(length, 200)]));
                    if (index == 0)
                        sample = Encoding.ASCII.GetString(answer[head..]);
                }
            }
            catch (Exception e) when (e is SocketException or InvalidDataException)
            {
                lock (failures)
                    failures.Add(e.Message);
            }
        })));
        var elapsed = clock.Elapsed;
        Array.Sort(times);
        return new LoadResult(elapsed, times, failures, sample);
    }

    /// <summary>One whole answer with a Content-Length; where its body begins and where it ends in the buffer.</summary>
    private static async ValueTask<(int Head, int Length)> ReceiveAsync(Socket socket, byte[] buffer)
    {
        var have = 0;
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer.AsMemory(have));
            if (count == 0)
                throw new InvalidDataException("the server closed the connection");
            have += count;
            var head = buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8) + 4;
            if (head < 4)
                continue;
            var at = buffer.AsSpan(0, head).IndexOf("Content-Length: "u8);
            if (at < 0)
                throw new InvalidDataException("an answer without Content-Length");
            var digits = buffer.AsSpan(at + 16, head - at - 16);
            var body = int.Parse(digits[..digits.IndexOf((byte)'\r')], System.Globalization.CultureInfo.InvariantCulture);
            if (have >= head + body)
                return (head, head + body);
        }
    }
}
