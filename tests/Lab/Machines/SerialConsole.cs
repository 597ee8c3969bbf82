using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ImageForge.Lab.Machines;

/// <summary>What a machine prints on its serial line: kept with the seconds since power-on, searched as it comes in.</summary>
public sealed class SerialConsole : IDisposable
{
    private readonly Lock _lock = new();
    private readonly StringBuilder _text = new();
    private readonly List<(int Position, double Seconds)> _lines = [(0, 0)];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly StreamWriter _log;
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _ended;

    public SerialConsole(Stream stream, string logFile)
    {
        _log = new StreamWriter(logFile, append: true) { AutoFlush = true };
        _ = Task.Run(() => PumpAsync(stream));
    }

    public string Text
    {
        get
        {
            lock (_lock)
                return _text.ToString();
        }
    }

    /// <summary>Seconds since power-on.</summary>
    public double Seconds => _clock.Elapsed.TotalSeconds;

    /// <summary>Waits until the pattern appears anywhere in what was printed so far and returns the match and when its line began.</summary>
    /// <exception cref="LabException">It did not come in time, or the machine ended; the message has the last lines.</exception>
    public async Task<(Match Match, double Seconds)> WaitForAsync(string pattern, TimeSpan limit)
    {
        var deadline = _clock.Elapsed + limit;
        while (true)
        {
            Task more;
            lock (_lock)
            {
                var match = Regex.Match(_text.ToString(), pattern);
                if (match.Success)
                    return (match, SecondsAt(match.Index));
                if (_ended)
                    throw new LabException($"the machine ended after {Seconds:0.0} s and never printed /{pattern}/; its last lines:\n{Tail()}");
                more = _more.Task;
            }
            var left = deadline - _clock.Elapsed;
            if (left <= TimeSpan.Zero || await Task.WhenAny(more, Task.Delay(left)) != more)
                throw new LabException($"/{pattern}/ did not appear within {limit.TotalSeconds:0} s; the last lines:\n{Tail()}");
        }
    }

    public string Tail(int lines = 40) => string.Join('\n', Clean(Text).Split('\n').TakeLast(lines));

    public void Dispose() => _log.Dispose();

    private static string Clean(string text) => Regex.Replace(text.Replace("\r", "", StringComparison.Ordinal), "\x1b\\[[0-9;?]*[A-Za-z]", "");

    private double SecondsAt(int position)
    {
        var line = _lines.FindLastIndex(entry => entry.Position <= position);
        return _lines[Math.Max(line, 0)].Seconds;
    }

    private async Task PumpAsync(Stream stream)
    {
        var bytes = new byte[4096];
        while (true)
        {
            int count;
            try
            {
                count = await stream.ReadAsync(bytes);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                count = 0;
            }
            lock (_lock)
            {
                _ended = count == 0;
                var seconds = Seconds;
                foreach (var c in Encoding.Latin1.GetString(bytes, 0, count))
                {
                    if (_text.Length == _lines[^1].Position)
                    {
                        _lines[^1] = (_text.Length, seconds);
                        _log.Write(string.Create(CultureInfo.InvariantCulture, $"{seconds,8:0.000} "));
                    }
                    _text.Append(c);
                    _log.Write(c);
                    if (c == '\n')
                        _lines.Add((_text.Length, seconds));
                }
                var more = _more;
                _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
                more.SetResult();
                if (_ended)
                    return;
            }
        }
    }
}
