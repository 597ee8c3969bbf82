using System.Net;
using ImageForge.Multicast;

namespace ImageForge.Server.Multicasting;

/// <summary>One connection of a machine to a session, from its join to its leave.</summary>
internal sealed class LiveMember(long taskId, string hostName, IPAddress address, DateTimeOffset joinedAt) : IDisposable
{
    private readonly CancellationTokenSource _leave = new();

    public long TaskId { get; } = taskId;

    public string HostName { get; } = hostName;

    public IPAddress Address { get; } = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    public DateTimeOffset JoinedAt { get; } = joinedAt;

    /// <summary>What the sender calls it.</summary>
    public string Name { get; } = $"{hostName}, task {taskId}";

    /// <summary>Packets reach it, or did.</summary>
    public bool Heard { get; private set; }

    /// <summary>As last seen; null: the sender does not know it yet, or any more.</summary>
    public MemberFigures? Figures { get; private set; }

    /// <summary>Looks in a row in which it was out of step.</summary>
    public int OutOfStep { get; private set; }

    /// <summary>Cancelled when the server wants it to go.</summary>
    public CancellationToken Leaving => _leave.Token;

    public void Observe(MemberFigures figures)
    {
        Figures = figures;
        Heard |= figures.BitsPerSecond > 0;
        OutOfStep = figures.InStep ? 0 : OutOfStep + 1;
    }

    /// <summary>At any time: one that leaves by itself may be gone before whoever looks after the session comes to it.</summary>
    public void Leave()
    {
        try
        {
            _leave.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has left.
        }
    }

    public void Dispose() => _leave.Dispose();
}
