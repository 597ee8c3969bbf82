using System.Globalization;
using ImageForge.Multicast;

namespace ImageForge.Agent.Streams;

/// <summary>Where the chunks come from right now, for screen and heartbeat. Written by the stream, read from any thread.</summary>
internal sealed class StreamStatus
{
    private Func<string?> _read = () => null;

    /// <summary>A few words; null: there is nothing to say about the way.</summary>
    public string? Text => Volatile.Read(ref _read)();

    /// <summary>Why the chunks come over HTTP although there is a session; null: they do not.</summary>
    public string? Cause { get; set; }

    public void Say(string? text) => Volatile.Write(ref _read, () => text);

    public void Follow(MulticastReceiver receiver) => Volatile.Write(ref _read, () => Describe(receiver.Figures()));

    internal static string Describe(ReceiverFigures figures)
    {
        if (figures.Waiting is { } waiting)
            return string.Create(CultureInfo.InvariantCulture, $"multicast waits to start: {waiting.Members} of {waiting.WaitFor} machines are here")
                + (waiting.Left is { } left ? string.Create(CultureInfo.InvariantCulture, $", {Math.Max(0, left.TotalSeconds):0} s left") : "");
        var all = figures.Verified + figures.Missed;
        var text = string.Create(CultureInfo.InvariantCulture, $"multicast {figures.BitsPerSecond / 1e6:0} Mbit/s, {(all > 0 ? 100.0 * figures.Missed / all : 0):0.#} % lost");
        if (figures.RepairShare >= 0.0005)
            text += string.Create(CultureInfo.InvariantCulture, $", {100 * figures.RepairShare:0.#} % repair");
        return figures.InStep ? text : text + ", catches up later";
    }
}
