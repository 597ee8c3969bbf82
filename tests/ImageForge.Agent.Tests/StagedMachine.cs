namespace ImageForge.Agent.Tests;

/// <summary>A machine for the agent to run on: a kernel command line, image files for disks, a file for a screen.</summary>
internal sealed class StagedMachine : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<KeyValuePair<string, string>> _disks = [];
    private readonly StringWriter _output = new();

    public string Output
    {
        get { lock (_output) return _output.ToString(); }
    }

    public string Screen => File.ReadAllText(_folder.File("screen"));

    public string PathOf(string name) => _folder.File(name);

    public string AddDisk(string name, long size)
    {
        var path = _folder.File(name + ".img");
        using (var file = File.Create(path))
            file.SetLength(size);
        _disks.Add(new(name, path));
        return path;
    }

    public async Task<int> RunAsync(string commandLine, CancellationToken cancel = default)
    {
        File.WriteAllText(_folder.File("cmdline"), commandLine);
        File.WriteAllText(_folder.File("screen"), "");
        Directory.CreateDirectory(_folder.File("root"));
        var options = new AgentOptions(_folder.File("root"), _folder.File("cmdline"), _folder.File("state"), _folder.File("screen"), _disks) { LastLook = TimeSpan.Zero };
        return await new AgentRun(options, TextWriter.Synchronized(new Locked(_output)), TimeProvider.System).RunAsync(cancel);
    }

    public void Dispose() => _folder.Dispose();

    private sealed class Locked(StringWriter inner) : TextWriter
    {
        public override System.Text.Encoding Encoding => inner.Encoding;

        public override void Write(char value)
        {
            lock (inner)
                inner.Write(value);
        }
    }
}
