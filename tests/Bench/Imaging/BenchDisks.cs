using System.Globalization;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Bench.Imaging;

/// <summary>
/// The disks all imaging benches work on, below <c>build/bench</c> of the work tree. The disks with the corpus take minutes to
/// make and are kept for the next run; everything else is deleted at the end.
/// </summary>
internal sealed class BenchDisks : IDisposable
{
    /// <summary>Changes with the corpus, so that a disk of an older form is not taken for one of this.</summary>
    private const int Form = 2;

    private readonly string _kept, _folder;
    private readonly long _content;

    public BenchDisks(string[] args)
    {
        Quick = args.Contains("--quick");
        Rounds = Number(args, "--rounds") ?? (Quick ? 1 : 3);
        ChunkSize = Number(args, "--chunk") * 1024 ?? ChunkSizes.Default;
        FileSystems = Array.IndexOf(args, "--fs") is var at and >= 0 ? [args[at + 1]] : ["ext4", "ntfs"];
        (_content, DiskBytes) = Quick ? (500L << 20, 1280L << 20) : (3584L << 20, 6144L << 20);
        _kept = Path.Combine(Top(), "build", "bench");
        _folder = Path.Combine(_kept, string.Create(CultureInfo.InvariantCulture, $"run-{Environment.ProcessId}"));
        Directory.CreateDirectory(_folder);
    }

    public bool Quick { get; }

    /// <summary>Measurements per case and side; the sides change places from one to the next.</summary>
    public int Rounds { get; }

    public int ChunkSize { get; }

    public string[] FileSystems { get; }

    public long DiskBytes { get; }

    public string FileOf(string name) => Path.Combine(_folder, name);

    public LocalStore NewStore(string name) => new(FileOf(name));

    /// <summary>A disk with the corpus on it; not to be written.</summary>
    public MadeDisk Corpus(string fileSystem)
    {
        var disk = new MadeDisk(Path.Combine(_kept, string.Create(CultureInfo.InvariantCulture, $"corpus-{fileSystem}-{_content >> 20}-{Form}.img")), fileSystem, DiskBytes);
        if (File.Exists(disk.File))
            return disk;
        Console.WriteLine($"  making a disk with {fileSystem} and {_content >> 20} MiB of files …");
        var making = disk with { File = FileOf(fileSystem + ".img") };
        making.Format();
        making.Mounted(root => Imaging.Corpus.WriteTo(root, _content));
        File.Move(making.File, disk.File);
        return disk;
    }

    /// <summary>A copy of the corpus disk, changed.</summary>
    public MadeDisk Drifted(MadeDisk disk, string name, Func<string, long> drift)
    {
        var copy = disk.CopyTo(FileOf(name));
        long changed = 0;
        copy.Mounted(root => changed = drift(root));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name}: {changed / 1e6:0} MB of files changed or added"));
        return copy;
    }

    /// <summary>The engines' code is compiled before the first measurement, as the agent's is when it is built.</summary>
    public async Task WarmUpAsync()
    {
        var disk = new MadeDisk(FileOf("warm-up.img"), "ext4", 160 << 20);
        disk.Format();
        disk.Mounted(root => Imaging.Corpus.WriteTo(root, 60 << 20));
        for (var i = 0; i < 3; i++)
        {
            var store = NewStore("warm-up");
            var (_, result, _) = await Ours.CaptureAsync(disk, store, "m", new CaptureOptions(ChunkSize));
            var target = disk with { File = FileOf("warm-up-target.img") };
            target.FillWithZeros();
            await Ours.DeployAsync(result, store, target, new());
            await Ours.DeployAsync(result, store, target, new());
            store.Delete();
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static int? Number(string[] args, string name) =>
        Array.IndexOf(args, name) is var at and >= 0 ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : null;

    private static string Top()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "ImageForge.sln")))
                return folder;
        throw new InvalidOperationException($"no ImageForge.sln above {AppContext.BaseDirectory}");
    }
}
