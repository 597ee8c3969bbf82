using ImageForge.Agent.Server;
using ImageForge.Agent.Tasks;
using ImageForge.Contracts;

namespace ImageForge.Agent.Screen;

/// <summary>Shows the task once a second on the machine's screen and on the serial console.</summary>
internal sealed class Display(
    string server, MachineScreen? screen, SerialLines lines, TaskProgress progress, RateMeter rate, ServerReach reach, TimeProvider time)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    /// <summary>Shorter silences are a lost packet, not worth a line.</summary>
    private static readonly TimeSpan s_worthTelling = TimeSpan.FromSeconds(3);

    private readonly Lock _lock = new();
    private readonly List<string> _facts = [];
    private MachineScreen? _screen = screen;
    private string? _hostName;
    private string _job = "reporting to the server";
    private string? _notice;
    private string? _ending;
    private TaskOutcome? _outcome;
    private bool _checkedIn;
    private bool _telling;

    public void CheckedIn(TaskAssignment task, bool resumed)
    {
        lock (_lock)
        {
            _checkedIn = true;
            _hostName = task.HostName;
            _job = (task switch
            {
                { Capture: { } capture } => $"capture into image {capture.ImageName}",
                { Deploy: { } deploy } => $"deploy image {deploy.ImageName} version {deploy.VersionNumber}",
                _ => "inventory",
            }) + $" (task {task.TaskId}{(resumed ? ", resumed" : "")})";
            lines.Say($"checked in as {task.HostName}: {_job}");
        }
    }

    /// <summary>A line about the machine or the plan that stays on the screen.</summary>
    public void Fact(string text)
    {
        lock (_lock)
        {
            _facts.Add(text);
            lines.Say(text.Trim());
        }
    }

    /// <summary>A sentence about something that goes another way than it should; it stays on the screen until the next one.</summary>
    public void Notice(string sentence)
    {
        lock (_lock)
        {
            _notice = sentence;
            lines.Say(sentence);
        }
    }

    /// <param name="telling">The server is yet to be told; <see cref="Told"/> follows.</param>
    public void Ended(TaskOutcome outcome, string ending, bool telling)
    {
        lock (_lock)
        {
            (_outcome, _ending, _telling) = (outcome, ending, telling);
            lines.Ended(outcome.State, outcome.Failure, outcome.Summary);
        }
        Paint();
    }

    public void Told(bool known)
    {
        lock (_lock)
        {
            _telling = false;
            lines.Say(known ? "the server knows the result" : "the server could not be told the result");
        }
        Paint();
    }

    public void Say(string line) => lines.Say(line);

    public async Task RunAsync(CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            Paint();
            await Task.Delay(s_interval, time, done).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Paint()
    {
        lock (_lock)
        {
            var view = View();
            if (_outcome is null)
                lines.Show(view);
            try
            {
                _screen?.Show(view);
            }
            catch (IOException)
            {
                // A screen that was unplugged or never was: the serial console and the server still tell.
                _screen = null;
            }
        }
    }

    private TaskView View()
    {
        var (state, done, total, detail) = progress.Read();
        rate.Sample(state, done);
        // After the end only the result is still waiting for the server, if that.
        var waiting = (_outcome is null || _telling) && reach.Away is { } away && away.Since > s_worthTelling
            ? $"Waiting for the server ({away.Since.TotalSeconds:0} s): {away.Reason}."
            : null;
        if (_outcome is not null)
            return new TaskView(_hostName, server, _job, _outcome.State, 0, 0, 0, null, _outcome.Summary, _facts, waiting,
                _outcome.State == HostTaskState.Failed ? _outcome.Failure : null, _ending)
            {
                Notice = _notice,
            };
        return new TaskView(_hostName, server, _job, _checkedIn ? state : HostTaskState.Booting, done, total,
            rate.BytesPerSecond, rate.Remaining(done, total), detail, _facts, waiting, null, null)
        {
            Notice = _notice,
        };
    }
}
