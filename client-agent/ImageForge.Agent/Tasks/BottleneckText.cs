using ImageForge.Imaging.Pipelines;

namespace ImageForge.Agent.Tasks;

/// <summary>What limits the speed, in the words of the screen and the task's view.</summary>
internal static class BottleneckText
{
    public static string? Of(Bottleneck bottleneck) => bottleneck switch
    {
        Bottleneck.Disk => "limited by the disk",
        Bottleneck.Cpu => "limited by the processor",
        Bottleneck.Network => "limited by the network",
        Bottleneck.Server => "limited by the server",
        _ => null,
    };
}
