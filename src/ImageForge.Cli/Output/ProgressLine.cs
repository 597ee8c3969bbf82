using Spectre.Console;

namespace ImageForge.Cli.Output;

/// <param name="Phase">For example <c>reading</c>.</param>
internal readonly record struct Done(string Phase, long Bytes, long Total);

/// <summary>A moving bar on the terminal while something runs; nothing elsewhere.</summary>
internal static class ProgressLine
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(200);

    public static async Task WatchAsync(Task work, Func<Done> progress)
    {
        if (!Terminal.ErrorIsOne)
        {
            await work;
            return;
        }
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await console.Progress().AutoClear(true).HideCompleted(false)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                ProgressTask? bar = null;
                var phase = "";
                do
                {
                    await Task.WhenAny(work, Task.Delay(s_interval, TimeProvider.System));
                    var now = progress();
                    if (now.Phase != phase)
                    {
                        bar?.StopTask();
                        bar = context.AddTask(Markup.Escape(now.Phase), maxValue: Math.Max(1, now.Total));
                        phase = now.Phase;
                    }
                    bar!.MaxValue = Math.Max(1, now.Total);
                    bar.Value = now.Bytes;
                }
                while (!work.IsCompleted);
            });
        await work;
    }
}
