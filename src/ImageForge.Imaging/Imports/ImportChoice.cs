using ImageForge.Contracts;

namespace ImageForge.Imaging.Imports;

/// <summary>Which disk of a folder is meant, and cleaning up when an import fails half-way.</summary>
internal static class ImportChoice
{
    public static string Disk(string folder, IReadOnlyList<string> disks, string? wanted)
    {
        if (wanted is not null)
            return disks.Contains(wanted) ? wanted : throw new FailureException("importDisk", Fault.Image, $"{folder} holds no disk {wanted}.", $"It holds: {string.Join(", ", disks)}.");
        return disks.Count == 1 ? disks[0] : throw new FailureException("importDisk", Fault.Image, $"{folder} holds {disks.Count} disks.", $"Name one with --disk: {string.Join(", ", disks)}.");
    }
}

/// <summary>Disposes what was kept unless all went well.</summary>
internal sealed class OnFailure : IDisposable
{
    private readonly List<IDisposable> _kept = [];

    public T Keep<T>(T thing) where T : IDisposable
    {
        _kept.Add(thing);
        return thing;
    }

    public void Done() => _kept.Clear();

    public void Dispose() => _kept.ForEach(thing => thing.Dispose());
}
