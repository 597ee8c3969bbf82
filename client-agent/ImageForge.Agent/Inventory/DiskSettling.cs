using ImageForge.Contracts;

namespace ImageForge.Agent.Inventory;

/// <summary>
/// Waits until the machine's disks have come. Controllers behind a chain of modules (virtio-scsi, hv_storvsc, vmd) show their disks
/// seconds after the network is up. Read too early, a machine has no disk, or the one early disk looks like the only one and is erased.
/// </summary>
/// <param name="Quiet">How long the list must stay the same.</param>
/// <param name="NoDisk">How long a first internal disk is waited for; a stick or the boot medium alone is not what most jobs are about.</param>
/// <param name="Longest">A list that never rests, such as a card reader with a bad contact, does not keep the machine from its task.</param>
internal sealed record DiskSettling(TimeSpan Quiet, TimeSpan NoDisk, TimeSpan Longest)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(200);

    public static DiskSettling Default { get; } = new(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(60));

    public async Task WaitAsync(IDisks disks, TimeProvider time, CancellationToken cancel)
    {
        var start = time.GetTimestamp();
        var (last, since) = (disks.List(), start);
        while (time.GetElapsedTime(start) < Longest
            && (time.GetElapsedTime(since) < Quiet || !last.Any(IsInternal) && time.GetElapsedTime(start) < NoDisk))
        {
            await Task.Delay(s_interval, time, cancel);
            var now = disks.List();
            if (!now.SequenceEqual(last))
                (last, since) = (now, time.GetTimestamp());
        }
    }

    private static bool IsInternal(DiskInventory disk) => !disk.Removable && !disk.BootMedium;
}
