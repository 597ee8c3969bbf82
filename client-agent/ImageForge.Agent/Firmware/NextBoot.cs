using System.Buffers.Binary;

namespace ImageForge.Agent.Firmware;

/// <summary>
/// While a deploy runs, <c>BootNext</c> (UEFI 2.10 §3.3) names the entry this boot came from: after a power cut the machine comes
/// back to the network, whatever its boot order says. Firmware deletes the variable when it obeys it.
/// </summary>
internal sealed class NextBoot(EfiVariables variables, string stateFolder)
{
    private const string Variable = "BootNext";

    /// <summary>Says that this very boot has set the variable; gone with the boot.</summary>
    private readonly string _mark = Path.Combine(stateFolder, "boot-next");

    /// <summary>Before the first write. Returns notes for people; empty when the firmware does what it should.</summary>
    /// <param name="resumed">An earlier boot of this task has set the variable already.</param>
    public IReadOnlyList<string> PointBack(bool resumed)
    {
        if (!variables.Exist || BootTable.Read(variables).Current is not { } current)
            return [];
        var notes = new List<string>();
        // An agent that was only started again, in the same boot, finds its own value.
        if (resumed && !File.Exists(_mark) && variables.Read(Variable) is not null)
            notes.Add("The firmware ignored BootNext when this machine restarted: put the network first in its boot order.");
        var value = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(value, current);
        try
        {
            Directory.CreateDirectory(stateFolder);
            File.WriteAllBytes(_mark, []);
            variables.Write(Variable, value);
            if (variables.Read(Variable) is not { } there || !there.AsSpan().SequenceEqual(value))
                notes.Add("The firmware did not keep BootNext: after a power cut this machine follows its boot order.");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            notes.Add($"The firmware refused to set BootNext ({e.Message}): after a power cut this machine follows its boot order.");
        }
        return notes;
    }

    /// <summary>At the end of the task, however it ended. What somebody else has set stays.</summary>
    public IReadOnlyList<string> Clear()
    {
        if (!File.Exists(_mark))
            return [];
        try
        {
            variables.Delete(Variable);
            File.Delete(_mark);
            return [];
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return [$"The firmware refused to clear BootNext ({e.Message}): its next boot goes to the network once more."];
        }
    }
}
