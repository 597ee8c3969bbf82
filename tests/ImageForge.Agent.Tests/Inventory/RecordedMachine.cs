using ImageForge.Agent.Inventory;

namespace ImageForge.Agent.Tests.Inventory;

/// <summary>
/// A /sys and /proc tree laid out from a text file in Machines/: <c>path = text</c>, <c>path : hex bytes</c>, <c>path -&gt; link target</c>,
/// <c>path /</c> for an empty folder, <c>@ path</c> sets a folder that <c>./name</c> continues, # is a comment.
/// </summary>
internal sealed class RecordedMachine : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public RecordedMachine(string name)
    {
        Root = new SystemRoot(_folder.Path);
        var at = "";
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Machines", name + ".txt")))
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            var words = line.Split(' ', 3);
            if (words[0] == "@")
                at = words[1];
            else
                Add(words[0].StartsWith("./", StringComparison.Ordinal) ? at + words[0][1..] : words[0], words[1], words.Length > 2 ? words[2] : "");
        }
    }

    public SystemRoot Root { get; }

    public IDisks Disks => new MachineDisks(Root);

    public void Write(string path, byte[] bytes)
    {
        var full = Root.Path(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, bytes);
    }

    public IEnumerable<string> Files() =>
        Directory.EnumerateFiles(_folder.Path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint });

    public void Dispose() => _folder.Dispose();

    private void Add(string path, string kind, string value)
    {
        switch (kind)
        {
            case "=":
                Write(path, System.Text.Encoding.UTF8.GetBytes(value.Replace("\\n", "\n", StringComparison.Ordinal) + "\n"));
                break;
            case ":":
                Write(path, Convert.FromHexString(value.Replace(" ", "", StringComparison.Ordinal)));
                break;
            case "->":
                Directory.CreateDirectory(Path.GetDirectoryName(Root.Path(path))!);
                File.CreateSymbolicLink(Root.Path(path), value);
                break;
            case "/":
                Directory.CreateDirectory(Root.Path(path));
                break;
            default:
                throw new FormatException($"\"{kind}\" in {path}");
        }
    }
}
