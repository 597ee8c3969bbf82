using ImageForge.Agent.Firmware;
using ImageForge.Agent.Inventory;
using ImageForge.Agent.Screen;
using ImageForge.Agent.Server;
using ImageForge.Agent.Streams;

namespace ImageForge.Agent.Tasks;

/// <summary>What every task works with.</summary>
/// <param name="Root">Of /sys and /proc.</param>
/// <param name="Listening">The network card to hear a stream on, as it is now; null: none can be named.</param>
/// <param name="Resumed">An earlier agent already worked on this task.</param>
internal sealed record TaskContext(
    AgentServer Server, ServerConnection Connection, Traffic Traffic, IDisks Disks, TaskProgress Progress, Display Display, TimeProvider Time,
    FirmwareSteps Firmware, SystemRoot Root, Func<ListeningInterface?> Listening, bool Resumed);
