using ImageForge.Contracts;
using static ImageForge.Contracts.HostTaskState;

namespace ImageForge.Server.Jobs;

/// <summary>What asking for a transition led to.</summary>
internal enum Transition
{
    /// <summary>The state changed and an event was written.</summary>
    Moved,

    /// <summary>The task was in that state already: a repeated request.</summary>
    Unchanged,

    /// <summary>Not a step this state allows; nothing changed.</summary>
    Illegal,

    /// <summary>There is no such task.</summary>
    NotFound,
}

/// <summary>
/// <c>Queued → Waking → Booting → CheckedIn → Preparing → Transferring → Verifying → Finishing → Succeeded | Failed | Cancelled</c>.
/// Steps may be skipped forwards. Backwards only to Booting or CheckedIn, when the machine starts again and resumes. A final state is final.
/// </summary>
internal static class HostTaskStateMachine
{
    public static Transition Judge(HostTaskState from, HostTaskState to)
    {
        if (from == to)
            return Transition.Unchanged;
        if (from.IsFinal())
            return Transition.Illegal;
        var legal = to switch
        {
            Failed or Cancelled => true,
            // Nothing succeeds without an agent that did the work.
            Succeeded => from >= CheckedIn,
            Booting or CheckedIn => true,
            Preparing or Transferring or Verifying or Finishing => from >= CheckedIn && to > from,
            _ => to > from,
        };
        return legal ? Transition.Moved : Transition.Illegal;
    }
}
