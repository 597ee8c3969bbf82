using System.Text.Json.Serialization;
using ImageForge.Contracts;
using ImageForge.Server.Hosts;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Boot;

[JsonConverter(typeof(CamelCaseEnumConverter<BootWay>))]
internal enum BootWay
{
    /// <summary>The machine's own disk.</summary>
    Local,

    /// <summary>The live image with the agent.</summary>
    Agent,

    /// <summary>Ask again in a few seconds: the task's agent was heard a moment ago.</summary>
    Wait,
}

/// <summary>What a machine should boot, and why. Made from the records alone; who asked does not matter here.</summary>
/// <param name="Reason">One sentence for the screen and the timeline.</param>
/// <param name="Host">Null: nobody knows this MAC.</param>
/// <param name="Task">Set for <see cref="BootWay.Agent"/> and <see cref="BootWay.Wait"/>.</param>
internal sealed record BootDecision(BootWay Way, string Reason, Host? Host = null, HostTask? Task = null);
