using System.Text;
using ImageForge.Contracts;

namespace ImageForge.Agent.Screen;

/// <summary>
/// The machine's own monitor: a text screen of 80 × 25 on the Linux console, painted over itself so that nothing flickers or scrolls.
/// Escape sequences as in console_codes(4).
/// </summary>
internal sealed class MachineScreen(Stream console)
{
    private const int Width = 78;
    // So many that a page never has more than 24 lines: the 25th would scroll the title away.
    private const int MostFacts = 9, MostFactsBesideFailure = 2, MostSentenceLines = 6, MostCureLines = 3, MostWaitingLines = 2, MostNoticeLines = 4;
    private const string Clear = "\e[0m\e[2J";
    private const string Home = "\e[H";
    private const string HideCursor = "\e[?25l";
    // The console goes black after ten minutes, which looks like a dead machine.
    private const string NeverBlank = "\e[9;0]\e[14;0]";
    private const string RestOfLine = "\e[K";
    private const string RestOfScreen = "\e[J";
    private const string Title = "\e[1;37;44m";
    private const string Alarm = "\e[1;37;41m";
    private const string Good = "\e[1;32m";
    private const string Bold = "\e[1m";
    private const string Plain = "\e[0m";

    private bool _open;

    public void Show(TaskView view)
    {
        var page = new StringBuilder(4096);
        if (!_open)
            page.Append(NeverBlank).Append(HideCursor).Append(Clear);
        _open = true;
        page.Append(Home);
        Line(page, Title, ("  ImageForge" + (view.HostName is null ? "" : "   " + view.HostName)).PadRight(Width));
        Line(page);
        Line(page, Plain, $"  Server   {view.Server}");
        Line(page, Plain, $"  Job      {view.Job}");
        foreach (var fact in view.Facts.Take(view.Failure is not null ? MostFactsBesideFailure : view.Notice is null ? MostFacts : MostFacts - MostNoticeLines))
            Line(page, Plain, "  " + fact);
        Line(page);
        if (view.Failure is not null)
            Failed(page, view.Failure);
        else
            Working(page, view);
        Line(page);
        if (view.Failure is null && view.Notice is not null)
            Wrapped(page, view.Notice, MostNoticeLines);
        if (view.Waiting is not null)
            Wrapped(page, view.Waiting, MostWaitingLines);
        if (view.Ending is not null)
            Line(page, Bold, "  " + view.Ending);
        page.Append(Plain).Append(RestOfScreen);
        console.Write(Encoding.UTF8.GetBytes(page.ToString()));
        console.Flush();
    }

    private static void Working(StringBuilder page, TaskView view)
    {
        var style = view.State == HostTaskState.Succeeded ? Good : Bold;
        Line(page, style, "  " + Phase(view.State) + (view.Detail is null ? "" : ": " + view.Detail));
        Line(page);
        if (view.Percent is not { } percent)
            return;
        const int bar = 60;
        var full = bar * percent / 100;
        Line(page, Plain, $"  [{new string('#', full)}{new string('.', bar - full)}] {percent,3} %");
        var left = view.Remaining is { } remaining ? $"   {Units.Duration(remaining)} left" : "";
        Line(page, Plain, $"  {Units.MiB(view.BytesDone)} of {Units.MiB(view.BytesTotal)} MiB   {Units.Rate(view.BytesPerSecond)}{left}");
    }

    private static void Failed(StringBuilder page, Failure failure)
    {
        Line(page, Alarm, $"  Failed ({failure.Code}). The cause is on this side: {Side(failure.Fault)}".PadRight(Width));
        Line(page);
        Wrapped(page, failure.Sentence, MostSentenceLines);
        Line(page);
        Line(page, Bold, "  What to do");
        Wrapped(page, failure.Cure, MostCureLines);
    }

    private static string Side(Fault fault) => fault switch
    {
        Fault.Disk => "this machine's disk",
        Fault.Network => "the network",
        Fault.Server => "the server",
        Fault.Image => "the image",
        _ => "cancelled",
    };

    private static string Phase(HostTaskState state) => state switch
    {
        HostTaskState.Booting => "Reporting to the server",
        HostTaskState.CheckedIn => "Checked in",
        HostTaskState.Succeeded => "Done",
        _ => state.ToString(),
    };

    private static void Wrapped(StringBuilder page, string text, int mostLines)
    {
        var line = new StringBuilder("  ");
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 2 && line.Length + 1 + word.Length > Width)
            {
                if (--mostLines == 0)
                    break;
                Line(page, Plain, line.ToString());
                line.Clear().Append("  ");
            }
            if (line.Length > 2)
                line.Append(' ');
            line.Append(word);
        }
        Line(page, Plain, line.ToString());
    }

    private static void Line(StringBuilder page, string style = Plain, string text = "")
    {
        text = Units.Printable(text);
        // The rest of the line first: it is cleared in the colour of the bar.
        page.Append(style).Append(text.Length > Width ? text[..Width] : text).Append(RestOfLine).Append(Plain).Append("\r\n");
    }
}
