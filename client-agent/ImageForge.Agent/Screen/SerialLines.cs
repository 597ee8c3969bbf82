using ImageForge.Contracts;

namespace ImageForge.Agent.Screen;

/// <summary>
/// Plain lines on standard output, which the live system sends to the serial console. People read them in a rack and tests wait for them:
/// <c>imageforge: phase transferring 37 % 120/322 MiB 45 MiB/s</c>.
/// </summary>
internal sealed class SerialLines(TextWriter output)
{
    private string? _last;

    public void Show(TaskView view)
    {
        var line = "phase " + Units.Name(view.State);
        if (view.Percent is { } percent)
            line += $" {percent} % {Units.MiB(view.BytesDone)}/{Units.MiB(view.BytesTotal)} MiB {Units.Rate(view.BytesPerSecond)}";
        if (view.Waiting is not null)
            line += " - " + view.Waiting;
        if (line != _last)
            Say(line);
        _last = line;
    }

    public void Say(string text)
    {
        output.WriteLine("imageforge: " + Units.Printable(text));
        output.Flush();
    }

    /// <summary><c>task succeeded</c>, <c>task failed diskTooSmall disk: …</c> or <c>task cancelled</c>.</summary>
    public void Ended(HostTaskState state, Failure? failure, string summary)
    {
        Say(failure is { } f && state == HostTaskState.Failed
            ? $"task failed {f.Code} {Units.Name(f.Fault)}: {f.Sentence}"
            : $"task {Units.Name(state)} {summary}");
        if (failure is not null && state == HostTaskState.Failed)
            Say("cure: " + failure.Cure);
    }
}
