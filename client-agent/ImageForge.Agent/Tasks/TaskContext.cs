using ImageForge.Agent.Firmware;
using ImageForge.Agent.Inventory;
using ImageForge.Agent.Screen;
using ImageForge.Agent.Server;

namespace ImageForge.Agent.Tasks;

/// <summary>What every task works with.</summary>
/// <param name="Resumed">An earlier agent already worked on this task.</param>
internal sealed record TaskContext(
    AgentServer Server, ServerConnection Connection, Traffic Traffic, IDisks Disks, TaskProgress Progress, Display Display, TimeProvider Time,
    FirmwareSteps Firmware, bool Resumed);
