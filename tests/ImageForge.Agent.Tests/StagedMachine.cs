using ImageForge.Agent.Inventory;

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

    /// <summary>Zero, so that a machine without disks does not wait for them.</summary>
    public DiskSettling DiskSettling { get; set; } = new(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);

    public TimeSpan TimeToRead { get; set; }

    public TimeProvider Time { get; set; } = TimeProvider.System;

    public string PathOf(string name) => _folder.File(name);

    public string AddDisk(string name, long size)
    {
        var path = _folder.File(name + ".img");
        using (var file = File.Create(path))
            file.SetLength(size);
        _disks.Add(new(name, path));
        return path;
    }

    /// <summary>In the machine's /sys, for machines without image files.</summary>
    public void AddMachineDisk(string name)
    {
        var disk = Directory.CreateDirectory(_folder.File($"root/sys/block/{name}"));
        disk.CreateSubdirectory("device");
        File.WriteAllText(Path.Combine(disk.FullName, "size"), "65536\n");
    }

    public async Task<int> RunAsync(string commandLine, CancellationToken cancel = default)
    {
        File.WriteAllText(_folder.File("cmdline"), commandLine);
        File.WriteAllText(_folder.File("screen"), "");
        Directory.CreateDirectory(_folder.File("root"));
        var options = new AgentOptions(_folder.File("root"), _folder.File("cmdline"), _folder.File("state"), _folder.File("screen"), _disks)
        {
            LastLook = TimeSpan.Zero,
            TimeToRead = TimeToRead,
            DiskSettling = DiskSettling,
        };
        return await new AgentRun(options, TextWriter.Synchronized(new Locked(_output)), Time).RunAsync(cancel);
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
