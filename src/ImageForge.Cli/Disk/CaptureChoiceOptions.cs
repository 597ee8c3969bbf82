using System.CommandLine;
using ImageForge.Cli.Output;
using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Cli.Disk;

/// <summary>How a disk is read and compressed; the same for captures and imports.</summary>
internal sealed class CaptureChoiceOptions
{
    private readonly Option<string?> _chunkSize = new("--chunk-size") { Description = $"Plain bytes per chunk, a power of two from 64KiB to 16MiB (default: {Sizes.Text(ChunkSizes.Default)}, larger for more than 256GiB of content)", HelpName = "SIZE" };
    private readonly Option<int?> _level = new("--level") { Description = "zstd level, 1 to 19 (default: adapted while it works)", HelpName = "N" };

    private readonly Option<bool> _allowReadErrors = new("--allow-read-errors") { Description = "Keep sectors that cannot be read as zeros; the image is marked damaged, with their list" };
    private readonly Option<DirtyVolumes?> _dirty = new("--dirty")
    {
        Description = "A file system that was not closed cleanly: take it whole, or refuse",
        HelpName = "whole|refuse",
        CustomParser = result =>
        {
            switch (result.Tokens.Single().Value)
            {
                case "whole":
                    return DirtyVolumes.Whole;
                case "refuse":
                    return DirtyVolumes.Refuse;
                default:
                    result.AddError($"--dirty takes whole or refuse, not \"{result.Tokens.Single().Value}\".");
                    return null;
            }
        },
    };

    public void AddTo(Command command)
    {
        command.Add(_dirty);
        command.Add(_allowReadErrors);
        command.Add(_chunkSize);
        command.Add(_level);
    }

    /// <exception cref="FailureException">A value that is none.</exception>
    public CaptureOptions Read(ParseResult parsed)
    {
        var options = new CaptureOptions();
        if (parsed.GetValue(_chunkSize) is { } text)
            options = options with { ChunkSize = Sizes.TryParse(text, out var size) && ChunkSizes.IsValid(size) ? (int)size : throw Verb.UsageError($"\"{text}\" is not a chunk size.", "A chunk size is a power of two from 64KiB to 16MiB.") };
        if (parsed.GetValue(_level) is { } level)
            options = options with { Level = level is >= 1 and <= 19 ? level : throw Verb.UsageError($"{level} is not a zstd level.", "A level is a number from 1 to 19.") };
        return options with { Dirty = parsed.GetValue(_dirty) ?? DirtyVolumes.Whole, AllowReadErrors = parsed.GetValue(_allowReadErrors) };
    }
}
