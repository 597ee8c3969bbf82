using ImageForge.Contracts;

namespace ImageForge.Agent.Tests;

public sealed class ExitCodesTests
{
    [Theory]
    [InlineData(HostTaskState.Succeeded, AfterTask.Reboot, 0)]
    [InlineData(HostTaskState.Succeeded, AfterTask.PowerOff, 10)]
    [InlineData(HostTaskState.Succeeded, AfterTask.Stay, 11)]
    [InlineData(HostTaskState.Failed, AfterTask.Reboot, 11)]
    [InlineData(HostTaskState.Failed, AfterTask.PowerOff, 11)]
    [InlineData(HostTaskState.Cancelled, AfterTask.Stay, 0)]
    [InlineData(HostTaskState.Cancelled, AfterTask.PowerOff, 0)]
    public void A_failed_machine_stays_and_a_cancelled_one_restarts(HostTaskState ended, AfterTask after, int code) =>
        Assert.Equal(code, ExitCodes.For(ended, after));
}
