using ImageForge.Agent.Inventory;
using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;

namespace ImageForge.Agent.Tasks;

/// <summary>Unfinished deploys found on the disks, as a line for the check-in.</summary>
internal static class ResumeRecords
{
    /// <returns>For example <c>sda: task 12, manifest 0123456789abcdef</c>; null when there is none.</returns>
    public static string? Describe(IDisks disks, IReadOnlyList<DiskInventory> inventory)
    {
        var found = new List<string>();
        foreach (var disk in inventory.Where(d => !d.Removable))
        {
            try
            {
                using var device = disks.OpenForReading(disk);
                if (ResumeRecord.ReadFrom(device) is { } record)
                    found.Add($"{disk.Name}: task {record.HostTaskId}, manifest {record.ManifestHash[..16]}");
            }
            catch (DiskException)
            {
                // A disk that cannot even be opened says so when a task uses it.
            }
        }
        return found.Count == 0 ? null : string.Join("; ", found);
    }
}
