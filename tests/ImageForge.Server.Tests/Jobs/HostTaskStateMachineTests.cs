using ImageForge.Contracts;
using ImageForge.Server.Jobs;
using static ImageForge.Contracts.HostTaskState;

namespace ImageForge.Server.Tests.Jobs;

public sealed class HostTaskStateMachineTests
{
    [Fact]
    public void The_whole_way_is_legal_step_by_step()
    {
        HostTaskState[] way = [Queued, Waking, Booting, CheckedIn, Preparing, Transferring, Verifying, Finishing, Succeeded];
        for (var i = 1; i < way.Length; i++)
            Assert.Equal(Transition.Moved, HostTaskStateMachine.Judge(way[i - 1], way[i]));
    }

    [Fact]
    public void A_final_state_is_final()
    {
        foreach (var from in Enum.GetValues<HostTaskState>().Where(s => s.IsFinal()))
        {
            foreach (var to in Enum.GetValues<HostTaskState>())
                Assert.Equal(from == to ? Transition.Unchanged : Transition.Illegal, HostTaskStateMachine.Judge(from, to));
        }
    }

    [Fact]
    public void Backwards_goes_only_to_a_new_boot_or_check_in()
    {
        foreach (var from in Enum.GetValues<HostTaskState>().Where(s => s.IsActive()))
        {
            foreach (var to in Enum.GetValues<HostTaskState>().Where(s => s < from && s is not (Booting or CheckedIn)))
                Assert.Equal(Transition.Illegal, HostTaskStateMachine.Judge(from, to));
        }
        Assert.Equal(Transition.Moved, HostTaskStateMachine.Judge(Transferring, Booting));
        Assert.Equal(Transition.Moved, HostTaskStateMachine.Judge(Finishing, CheckedIn));
    }

    [Fact]
    public void Nothing_works_or_succeeds_before_an_agent_checked_in()
    {
        foreach (var from in new[] { Queued, Waking, Booting })
        {
            foreach (var to in new[] { Preparing, Transferring, Verifying, Finishing, Succeeded })
                Assert.Equal(Transition.Illegal, HostTaskStateMachine.Judge(from, to));
        }
    }

    [Fact]
    public void Every_active_state_can_fail_and_be_cancelled()
    {
        foreach (var from in Enum.GetValues<HostTaskState>().Where(s => s.IsActive()))
        {
            Assert.Equal(Transition.Moved, HostTaskStateMachine.Judge(from, Failed));
            Assert.Equal(Transition.Moved, HostTaskStateMachine.Judge(from, Cancelled));
        }
    }
}
