using ImageForge.Agent.Tests.Server;
using ImageForge.Contracts;

namespace ImageForge.Agent.Tests.Tasks;

/// <summary>A disk whose file system was not closed cleanly: the job says what becomes of it.</summary>
public sealed class UncleanCaptureTests
{
    private const int DiskSize = 24 << 20;

    [Theory]
    [InlineData(DirtyVolumes.Refuse, 11)]
    [InlineData(DirtyVolumes.Whole, 0)]
    public async Task It_is_refused_before_anything_is_sent_or_taken_whole(DirtyVolumes dirty, int exitCode)
    {
        await using var server = new ScriptedServer();
        await server.StartAsync();
        using var machine = new StagedMachine();
        File.WriteAllBytes(machine.AddDisk("source", DiskSize), MountedExt2());
        server.Task = new TaskAssignment(7, JobKind.Capture, "pc-07", AfterTask.Reboot, new CaptureAssignment("debian", 64 << 10, 1, null, new CaptureChoices(dirty)), null);

        Assert.Equal(exitCode, await machine.RunAsync(server.CommandLine()));

        var result = Assert.Single(server.Results);
        if (dirty == DirtyVolumes.Whole)
        {
            Assert.NotEmpty(server.Manifest);
            return;
        }
        Assert.Equal(("volumeDirty", Fault.Disk), (result.Failure!.Code, result.Failure.Fault));
        Assert.Contains("e2fsck -p", result.Failure.Cure, StringComparison.Ordinal);
        Assert.Empty(server.Manifest);
        Assert.DoesNotContain(server.Requests, request => request.StartsWith("PUT", StringComparison.Ordinal));
    }

    /// <summary>Random content under the superblock of an ext2 that was mounted when the machine lost power: its state lacks "clean".</summary>
    private static byte[] MountedExt2()
    {
        var disk = new byte[DiskSize];
        new Random(11).NextBytes(disk);
        // Neither boot sector nor table.
        disk.AsSpan(0, 1024).Clear();
        var super = disk.AsSpan(1024, 1024);
        super.Clear();
        BitConverter.TryWriteBytes(super, 1000);
        BitConverter.TryWriteBytes(super[4..], DiskSize / 4096);
        BitConverter.TryWriteBytes(super[0x18..], 2);
        BitConverter.TryWriteBytes(super[0x20..], 32768);
        BitConverter.TryWriteBytes(super[0x24..], 32768);
        BitConverter.TryWriteBytes(super[0x28..], 1000);
        (super[0x38], super[0x39]) = (0x53, 0xEF);
        return disk;
    }
}
