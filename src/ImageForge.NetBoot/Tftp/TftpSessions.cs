using System.Runtime.InteropServices;
using ImageForge.NetBoot.Sockets;

namespace ImageForge.NetBoot.Tftp;

/// <summary>
/// The transfers going on, found by the key that epoll hands back or by client. A key holds a place and a generation, so
/// an event that epoll reported for a transfer that ended in the same round finds nothing. Owned by the loop's thread.
/// </summary>
internal sealed class TftpSessions(TftpServerOptions options)
{
    private readonly List<(TftpSession? Session, uint Generation)> _places = [];
    private readonly Stack<int> _free = [];
    private readonly Dictionary<InternetAddress, TftpSession> _byClient = [];
    private readonly Dictionary<uint, int> _perSource = [];
    private volatile int _count;

    public int Count => _count;

    public TftpSession? Find(ulong key)
    {
        var place = (int)(uint)key;
        return place < _places.Count && _places[place] is var (session, generation) && generation == (uint)(key >> 32) ? session : null;
    }

    public TftpSession? Find(InternetAddress client) => _byClient.GetValueOrDefault(client);

    /// <summary>Why one more transfer for this client is too many, or null.</summary>
    public TftpIgnoreReason? Refusal(InternetAddress client) =>
        _count >= options.MaxTransfers ? TftpIgnoreReason.TooManyTransfers
        : _perSource.GetValueOrDefault(client.Host) >= options.MaxTransfersPerSource ? TftpIgnoreReason.TooManyFromSource
        : null;

    public ulong Add(TftpSession session)
    {
        if (!_free.TryPop(out var place))
        {
            place = _places.Count;
            _places.Add(default);
        }
        var generation = _places[place].Generation + 1;
        _places[place] = (session, generation);
        _byClient[session.Peer] = session;
        CollectionsMarshal.GetValueRefOrAddDefault(_perSource, session.Peer.Host, out _)++;
        _count++;
        return session.Key = (ulong)generation << 32 | (uint)place;
    }

    public void Remove(TftpSession session)
    {
        var place = (int)(uint)session.Key;
        _places[place] = (null, _places[place].Generation);
        _free.Push(place);
        _byClient.Remove(session.Peer);
        ref var left = ref CollectionsMarshal.GetValueRefOrAddDefault(_perSource, session.Peer.Host, out _);
        if (--left == 0)
            _perSource.Remove(session.Peer.Host);
        _count--;
    }

    /// <summary>A snapshot: the caller may remove while it walks.</summary>
    public IReadOnlyList<TftpSession> All() => [.. _byClient.Values];
}
