namespace ImageForge.Agent.Inventory;

/// <summary>The kernel's names of partitions: <c>sda1</c>, <c>nvme0n1p1</c>, <c>mmcblk0p1</c>.</summary>
internal static class PartitionNames
{
    /// <returns>For example <c>/dev/sda1</c>; null while the kernel shows no such partition.</returns>
    public static string? DeviceOf(SystemRoot root, string disk, int number) =>
        root.Names($"/sys/block/{disk}").FirstOrDefault(name => root.Number($"/sys/block/{disk}/{name}/partition") == number) is { } partition ? "/dev/" + partition : null;
}
