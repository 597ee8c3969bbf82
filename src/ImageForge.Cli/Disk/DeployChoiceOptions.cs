using System.CommandLine;
using System.Globalization;
using ImageForge.Contracts;

namespace ImageForge.Cli.Disk;

/// <summary>How an image is laid out on the target: the choices of a job.</summary>
internal sealed class DeployChoiceOptions
{
    private readonly Option<string?> _volumes = new("--volumes") { Description = "Restore only these volumes into the partitions that are there, for example 1,3; everything else stays", HelpName = "N,N" };
    private readonly Option<bool> _fill = new("--fill") { Description = "Grow the last partition that can grow, and its file system, to the end of a larger disk" };
    private readonly Option<int?> _grow = new("--grow") { Description = "As --fill, but this partition", HelpName = "N" };

    private readonly Option<bool> _newIds = new("--new-ids") { Description = "New GUIDs or a new signature for disk and partitions, so that both disks can be in one machine" };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_volumes, _fill, _grow, _newIds])
            command.Add(option);
    }

    /// <exception cref="FailureException">A value that is none.</exception>
    public DeployChoices Read(ParseResult parsed) => new(
        Volumes: parsed.GetValue(_volumes) is { } text ? Numbers(text) : null,
        Fill: parsed.GetValue(_fill) || parsed.GetValue(_grow) is not null,
        GrowVolume: parsed.GetValue(_grow),
        Identity: parsed.GetValue(_newIds) ? DiskIdentity.Randomise : DiskIdentity.Keep);

    private static int[] Numbers(string text)
    {
        var numbers = new List<int>();
        foreach (var word in text.Split(','))
            numbers.Add(int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
                : throw Verb.UsageError($"\"{text}\" names no volumes.", "Write their numbers with commas between, for example --volumes 1,3."));
        return [.. numbers];
    }
}
