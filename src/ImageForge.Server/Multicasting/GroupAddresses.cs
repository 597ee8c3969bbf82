using System.Net;
using ImageForge.Multicast;

namespace ImageForge.Server.Multicasting;

/// <summary>Gives each session a group and port of its own; as long as groups last, also a group that no other session has.</summary>
internal sealed class GroupAddresses
{
    private readonly Lock _lock = new();
    private readonly HashSet<GroupEndpoint> _taken = [];

    /// <summary>Null: every pair of the ranges is taken.</summary>
    /// <param name="settings">Checked by <see cref="MulticastSettingsRules"/>.</param>
    /// <param name="session">Sessions after each other get different groups: what still arrives of the last one disturbs nobody.</param>
    public GroupEndpoint? Take(MulticastSettings settings, long session)
    {
        if (!GroupRange.TryParse(settings.GroupsOrDefault, out var range))
            return null;
        var ports = settings.LastPort - settings.FirstPort + 1;
        lock (_lock)
        {
            var groups = _taken.Select(static t => t.Group).ToHashSet();
            // One more than are taken surely has a free one among them, if there are so many.
            for (var i = 0L; i < Math.Min(range.Count, _taken.Count + 1L); i++)
            {
                var group = range[(session + i) % range.Count];
                if (!groups.Contains(group) && Free(group) is { } alone)
                    return alone;
            }
            for (var i = 0L; i < Math.Min(range.Count, _taken.Count + 1L); i++)
            {
                if (Free(range[(session + i) % range.Count]) is { } shared)
                    return shared;
            }
            return null;
        }

        GroupEndpoint? Free(IPAddress group)
        {
            for (var i = 0; i < ports; i++)
            {
                var endpoint = new GroupEndpoint(group, settings.FirstPort + (int)((session + i) % ports));
                if (_taken.Add(endpoint))
                    return endpoint;
            }
            return null;
        }
    }

    public void Return(GroupEndpoint endpoint)
    {
        lock (_lock)
            _taken.Remove(endpoint);
    }
}
