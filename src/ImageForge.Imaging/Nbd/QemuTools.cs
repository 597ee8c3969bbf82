using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Imaging.DiskFiles;

namespace ImageForge.Imaging.Nbd;

/// <summary>What is said to and by the programs of QEMU.</summary>
internal static class QemuTools
{
    /// <summary>Makes an empty disk file of a virtual machine.</summary>
    /// <exception cref="FailureException"><c>qemuMissing</c>, <c>diskFileUnmade</c>.</exception>
    public static void Create(string path, DiskFileFormat format, long sizeBytes)
    {
        var start = new ProcessStartInfo("qemu-img")
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            ArgumentList = { "create", "-q", "-f", DiskFileFormats.QemuName(format) },
        };
        // A VHD is otherwise rounded to whole cylinders.
        foreach (var argument in (string[])[.. format == DiskFileFormat.Vhd ? (string[])["-o", "force_size=on"] : [], "--", Path.GetFullPath(path), sizeBytes.ToString(CultureInfo.InvariantCulture)])
            start.ArgumentList.Add(argument);
        try
        {
            using var process = Process.Start(start)!;
            _ = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new FailureException("diskFileUnmade", Fault.Disk, $"{path} cannot be made: {Said(errors)}", "Check the path, the rights on it and the room there.");
        }
        catch (Win32Exception e)
        {
            throw Missing("qemu-img", e);
        }
    }

    public static FailureException Missing(string program, Exception inner) => new(
        "qemuMissing", Fault.Disk, $"Disk files of virtual machines are read by {program}, which is not installed.", "Install it: apt-get install qemu-utils.", inner);

    /// <summary>The last line of what a program complained about.</summary>
    public static string Said(Task<string> errors)
    {
        var line = errors.GetAwaiter().GetResult().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "it does not say why";
        return line.EndsWith('.') ? line : line + ".";
    }
}
