using System.Runtime.InteropServices;
using ImageForge.Agent.Inventory;
using ImageForge.Agent.Tasks;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;

namespace ImageForge.Agent.Firmware;

/// <summary>
/// What a deploy does to UEFI firmware around the writing: the way back to the network while it runs, the boot entries and the
/// fallback loader once it has succeeded. Trouble here is a note on the result, never a failed deploy: the disk is right.
/// </summary>
/// <param name="mount">Mounts the FAT file system of a partition.</param>
/// <param name="suffix">Of this machine's loaders, such as <c>x64</c>.</param>
/// <param name="stateFolder">In memory, gone with the next boot.</param>
internal sealed class FirmwareSteps(EfiVariables variables, IDisks disks, Func<DiskInventory, Partition, SystemPartitionMount> mount, string suffix, string stateFolder)
{
    private const string SystemPartitionType = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";

    public static FirmwareSteps Of(SystemRoot root, IDisks disks, string stateFolder) => new(
        new EfiVariables(root), disks,
        (disk, partition) => SystemPartitionMount.Open(PartitionNames.DeviceOf(root, disk.Name, partition.Number) ?? throw new IOException($"the kernel shows no partition {partition.Number} on {disk.Name}"), stateFolder),
        SuffixOf(root), stateFolder);

    /// <param name="resumed">An earlier boot of this task began the deploy.</param>
    public async Task<TaskOutcome> AroundAsync(DeployChoices choices, bool resumed, Func<Task<TaskOutcome>> deploy)
    {
        if (!variables.Exist)
            return await deploy();
        var next = new NextBoot(variables, stateFolder);
        var before = AllPartitions();
        var notes = new List<string>(next.PointBack(resumed));
        try
        {
            var outcome = await deploy();
            if (outcome is { State: HostTaskState.Succeeded, Written.Count: > 0 } && choices.BootEntries == BootEntries.Repair)
                Repair(outcome.Written, before, notes);
            notes.AddRange(next.Clear());
            return outcome with { Notes = [.. outcome.Notes, .. notes] };
        }
        catch
        {
            next.Clear();
            throw;
        }
    }

    private void Repair(IReadOnlyList<DiskInventory> written, HashSet<Guid> before, List<string> notes)
    {
        try
        {
            var loaders = new List<RestoredLoader>();
            foreach (var disk in written)
                loaders.AddRange(Loaders(disk, notes));
            if (loaders.Count == 0)
                return;
            var table = BootTable.Read(variables);
            var repair = BootRepair.Plan(table, loaders, before.Except(AllPartitions()).ToHashSet());
            repair.Apply(variables, table);
            notes.AddRange(repair.Notes);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            notes.Add($"The boot entries could not be repaired: {e.Message.TrimEnd('.')}. Choose the disk in the firmware's boot menu once.");
        }
    }

    /// <summary>The loaders on the disk's EFI system partitions, each of which gets its fallback.</summary>
    private List<RestoredLoader> Loaders(DiskInventory disk, List<string> notes)
    {
        var found = new List<RestoredLoader>();
        if (Layout(disk) is not { Scheme: PartitionScheme.Gpt } layout)
            return found;
        foreach (var partition in layout.Partitions.Where(p => p.Type == SystemPartitionType))
        {
            try
            {
                using var mounted = mount(disk, partition);
                var place = new SystemPartition(mounted.Folder, suffix);
                var loaders = place.Loaders();
                foreach (var loader in loaders)
                    found.Add(new RestoredLoader(loader.Description, DevicePath.OfLoader(partition.Number, partition.Offset / layout.SectorSize,
                        partition.Length / layout.SectorSize, Guid.Parse(partition.UniqueId!), loader.Path)));
                if (place.RepairFallback(loaders) is { } repaired)
                    notes.Add(repaired);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                notes.Add($"The EFI system partition {partition.Number} of {disk.Name} could not be looked into: {e.Message.TrimEnd('.')}.");
            }
        }
        return found;
    }

    private HashSet<Guid> AllPartitions() =>
        [.. disks.List().SelectMany(d => Layout(d)?.Partitions ?? []).Select(p => Guid.TryParse(p.UniqueId, out var id) ? id : Guid.Empty)];

    /// <summary>Null for a disk that cannot be read or has no usable table: nothing leads to it anyway.</summary>
    private DiskLayout? Layout(DiskInventory disk)
    {
        try
        {
            using var device = disks.OpenForReading(disk);
            return PartitionTables.Read(device) is PartitionTableReading.Found found ? found.Layout : null;
        }
        catch (DiskException)
        {
            return null;
        }
    }

    /// <summary>UEFI 2.10 table 3.3; what counts is the firmware's word size, not the kernel's.</summary>
    private static string SuffixOf(SystemRoot root) => (RuntimeInformation.OSArchitecture, root.Number("/sys/firmware/efi/fw_platform_size")) switch
    {
        (Architecture.Arm64, _) => "aa64",
        (_, 32) => "ia32",
        _ => "x64",
    };
}
