using ImageForge.Agent.Inventory;

namespace ImageForge.Agent;

/// <summary>
/// Where the agent finds its machine. On a real one everything has its default; tests put recorded trees and image files in their place.
/// These come from the program's own arguments only: nothing on the kernel command line reaches them.
/// </summary>
/// <param name="SystemRoot">Root of /sys and /proc.</param>
/// <param name="CommandLineFile">The kernel command line.</param>
/// <param name="StateFolder">In memory, gone with the next boot.</param>
/// <param name="Console">The machine's own screen; empty: none.</param>
/// <param name="DiskFiles">Image files that stand in for all disks, by name; empty: the machine's disks.</param>
internal sealed record AgentOptions(
    string SystemRoot, string CommandLineFile, string StateFolder, string Console, IReadOnlyList<KeyValuePair<string, string>> DiskFiles)
{
    /// <summary>How long the last message stands before the machine restarts.</summary>
    public TimeSpan LastLook { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a failed check-in stands on the screen before the machine restarts.</summary>
    public TimeSpan TimeToRead { get; init; } = TimeSpan.FromSeconds(10);

    public DiskSettling DiskSettling { get; init; } = DiskSettling.Default;

    public static AgentOptions Default { get; } = new("/", "/proc/cmdline", "/run/imageforge", "/dev/tty1", []);

    /// <returns>Null when an argument is unknown or lacks its value.</returns>
    public static AgentOptions? Parse(IReadOnlyList<string> arguments)
    {
        var options = Default;
        for (var i = 0; i < arguments.Count; i += 2)
        {
            if (i + 1 == arguments.Count)
                return null;
            var value = arguments[i + 1];
            switch (arguments[i])
            {
                case "--root":
                    options = options with { SystemRoot = value };
                    break;
                case "--cmdline-file":
                    options = options with { CommandLineFile = value };
                    break;
                case "--state-folder":
                    options = options with { StateFolder = value };
                    break;
                case "--console":
                    options = options with { Console = value };
                    break;
                case "--disk-file" when value.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals:
                    options = options with { DiskFiles = [.. options.DiskFiles, new(value[..equals], value[(equals + 1)..])] };
                    break;
                default:
                    return null;
            }
        }
        return options;
    }
}
