namespace ImageForge.Agent.Firmware;

/// <summary>A loader that a deploy has put onto an EFI system partition.</summary>
/// <param name="Description">What the firmware's menu will show.</param>
internal sealed record RestoredLoader(string Description, DevicePath Path);

/// <summary>
/// What the boot entries should be after a deploy. The restored system's entries lead to its partitions and stand behind the
/// network's, so that the next boot asks the server first. Entries of other disks, of firmware and of people stay as they are.
/// </summary>
/// <param name="Changed">Entries to write.</param>
/// <param name="Removed">Entries to delete.</param>
/// <param name="Notes">What was done, for people.</param>
internal sealed record BootRepair(IReadOnlyDictionary<ushort, LoadOption> Changed, IReadOnlyList<ushort> Removed, IReadOnlyList<ushort> Order, IReadOnlyList<string> Notes)
{
    /// <param name="gone">Unique GUIDs of partitions that this deploy has overwritten. A disk that merely cannot be read is none of them.</param>
    public static BootRepair Plan(BootTable table, IReadOnlyList<RestoredLoader> loaders, IReadOnlySet<Guid> gone)
    {
        var entries = new SortedDictionary<ushort, LoadOption>(table.Entries.ToDictionary());
        var order = table.Order.Distinct().Where(entries.ContainsKey).ToList();
        var changed = new SortedDictionary<ushort, LoadOption>();
        var removed = new List<ushort>();
        var notes = new List<string>();
        var restored = new List<ushort>();

        foreach (var loader in loaders)
        {
            // Intact ones first, then the firmware's order of preference: the entry that was used keeps its number and its optional data.
            var same = order.Concat(entries.Keys.Except(order)).Where(n => Leads(entries[n], loader, gone)).OrderBy(n => IsStale(entries[n], gone)).ToList();
            if (same.Count == 0)
            {
                var number = FirstFree(entries.Keys);
                entries[number] = changed[number] = new LoadOption(LoadOption.Active, loader.Description, loader.Path, []);
                restored.Add(number);
                notes.Add($"Added the boot entry {BootTable.NameOf(number)} \"{loader.Description}\".");
                continue;
            }
            var kept = same[0];
            if (!entries[kept].Path.Bytes.AsSpan().SequenceEqual(loader.Path.Bytes))
            {
                entries[kept] = changed[kept] = entries[kept] with { Path = loader.Path };
                notes.Add($"Pointed the boot entry {BootTable.NameOf(kept)} \"{entries[kept].Description}\" to the restored partition.");
            }
            restored.Add(kept);
            foreach (var twin in same.Skip(1).Where(n => entries[n].LeadsWhere(entries[kept]) || IsStale(entries[n], gone)).ToList())
            {
                notes.Add($"Removed the boot entry {BootTable.NameOf(twin)} \"{entries[twin].Description}\", a duplicate of {BootTable.NameOf(kept)}.");
                entries.Remove(twin);
                changed.Remove(twin);
                removed.Add(twin);
                order.Remove(twin);
            }
        }

        var wanted = Behind(Network(table, entries, order), order, restored);
        if (!wanted.SequenceEqual(table.Order) && restored.Exists(order.Contains) && wanted.Count == order.Count)
            notes.Add("Placed the restored system behind the network in the boot order.");
        return new BootRepair(changed, removed, wanted, notes);
    }

    /// <summary>
    /// First the entries to lead to, then the order, then the deletions: whatever breaks this off, the order names only what exists.
    /// </summary>
    public void Apply(EfiVariables variables, BootTable before)
    {
        foreach (var (number, entry) in Changed)
            variables.Write(BootTable.NameOf(number), entry.ToBytes());
        if (!Order.SequenceEqual(before.Order))
            variables.Write("BootOrder", BootTable.ToBytes(Order));
        foreach (var number in Removed)
            variables.Delete(BootTable.NameOf(number));
    }

    /// <summary>To this loader's file on its partition, or on one that has been overwritten.</summary>
    private static bool Leads(LoadOption entry, RestoredLoader loader, IReadOnlySet<Guid> gone) =>
        string.Equals(entry.Path.File, loader.Path.File, StringComparison.OrdinalIgnoreCase)
        && entry.Path.Partition is { } partition && (partition == loader.Path.Partition || gone.Contains(partition));

    private static bool IsStale(LoadOption entry, IReadOnlySet<Guid> gone) => entry.Path.Partition is { } partition && gone.Contains(partition);

    /// <summary>The entry this machine was started through if that is the network's, else the first of the network's in the order.</summary>
    private static ushort? Network(BootTable table, SortedDictionary<ushort, LoadOption> entries, List<ushort> order)
    {
        if (table.Current is { } current && order.Contains(current) && entries[current].Path.Partition is null)
            return current;
        var found = order.FindIndex(n => entries[n].Path.IsNetwork);
        return found < 0 ? null : order[found];
    }

    /// <summary>Entries that already stand behind the network keep their place; the others follow it directly. Without a network entry they come last.</summary>
    private static List<ushort> Behind(ushort? network, List<ushort> order, List<ushort> restored)
    {
        var at = network is { } entry ? order.IndexOf(entry) : order.Count;
        var misplaced = restored.Where(n => order.IndexOf(n) is var place && (place < 0 || (network is not null && place < at))).ToList();
        var result = order.Except(misplaced).ToList();
        result.InsertRange(network is { } anchor ? result.IndexOf(anchor) + 1 : result.Count, misplaced);
        return result;
    }

    private static ushort FirstFree(IEnumerable<ushort> taken)
    {
        var used = taken.ToHashSet();
        ushort number = 0;
        while (used.Contains(number))
            number++;
        return number;
    }
}
