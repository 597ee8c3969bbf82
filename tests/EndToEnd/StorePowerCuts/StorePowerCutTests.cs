using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using ImageForge.Contracts;
using ImageForge.Lab;
using ImageForge.Lab.Disks;
using ImageForge.Lab.Machines;
using ImageForge.Server.Images;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.EndToEnd.StorePowerCuts;

/// <summary>
/// The server in a guest, its power cut in the middle of captures, deletions and sweeps: QEMU is killed, and of what the guest had not flushed only
/// a random part, or nothing, reaches the disk that is looked at afterwards. From the same log come disks as they were at earlier moments.
/// </summary>
public sealed class StorePowerCutTests : IDisposable
{
    internal const string Kept = "kept";
    private const string Churn = "churn";
    private const int MachinesPerLife = 6;

    // A version retired a moment ago is swept at once; syncs in the background come often.
    private static readonly string[] s_settings = ["Store:Grace=00:00:00", "Store:SweepHour=-1", "Store:CheckpointChunks=16"];
    private static readonly TimeSpan s_boot = TimeSpan.FromMinutes(6);

    private readonly string _folder = Directory.CreateTempSubdirectory("if-power-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public Task Three_power_cuts_harm_no_sealed_version() => RunAsync(cuts: 3, earlierMoments: 1, seed: 20260401);

    [Fact]
    [Trait("form", "long")]
    public Task Twelve_power_cuts_harm_no_sealed_version() => RunAsync(cuts: 12, earlierMoments: 3, seed: 20260402);

    private async Task RunAsync(int cuts, int earlierMoments, int seed)
    {
        var random = new Random(seed);
        var disk = Path.Combine(_folder, "disk.img");
        RawImage.CreateBlank(disk, 1L << 30);
        await Command.RunAsync("mkfs.ext4", "-q", "-F", disk);
        for (int cut = 0, discarded = 0; cut < cuts;)
        {
            var where = $"seed {seed}, cut {cut}";
            if (await LiveAsync(disk, cut, earlierMoments, where, random))
                cut++;
            else
                Assert.True(++discarded <= 2, $"{where}: QEMU's log was torn {discarded} times");
        }
        await using var last = await OpenedStore.OpenAsync(disk, s_settings);
        Assert.True(await last.AssertEveryVersionIsCompleteAsync("in the end") >= cuts);
        await last.AssertVerifiedAsync();
    }

    /// <summary>False: the log of this life says nothing, the disk is as before.</summary>
    private async Task<bool> LiveAsync(string disk, int cut, int earlierMoments, string where, Random random)
    {
        var (machines, admin) = await PrepareAsync(disk, cut, random);
        var before = Path.Combine(_folder, "before.img");
        await CopyAsync(disk, before);
        var log = Path.Combine(_folder, "writes.log");
        var told = new ConcurrentBag<string>();
        await using (var guest = await ServerGuest.PowerOnAsync(_folder, Path.Combine(AppContext.BaseDirectory, "ImageForge.Server.dll"), disk, log, s_settings))
        {
            using var connection = new GuestConnection(guest.Port);
            await guest.WaitUntilReadyAsync(connection.Anonymous(), s_boot);
            using var end = new CancellationTokenSource();
            var working = WorkAsync(connection, machines, admin, told, end.Token);
            // After some of the versions, and somewhere in the next one.
            var wanted = random.Next(0, MachinesPerLife - 2);
            while (told.Count < wanted && !working.IsCompleted)
                await Task.Delay(5);
            await Task.Delay(random.Next(0, 2500));
            await guest.CutPowerAsync();
            await end.CancelAsync();
            await working;
        }
        await CopyAsync(before, disk);
        var writes = new WriteLog(log);
        if (!writes.IsWhole)
            return false;
        for (var moment = 0; moment < earlierMoments; moment++)
            await JudgeMomentAsync(before, writes, random, where);
        var survives = (cut % 3) switch { 0 => 0.0, 1 => 1.0, _ => 0.5 };
        writes.Apply(disk, writes.Count, survives, random);
        await using var opened = await OpenedStore.OpenAsync(disk, s_settings);
        var versions = await opened.AssertEveryVersionIsCompleteAsync(where);
        var kept = (await opened.Server.Get<ImageVersions>().ListAsync(Kept, default) ?? []).Select(static v => v.ManifestHash).ToHashSet();
        Assert.All(told, hash => Assert.True(kept.Contains(hash), $"{where}: version {hash} was told sealed and is gone"));
        await opened.AssertCapturesCompleteAsync(machines.FirstOrDefault(m => m.Image == Kept), $"after-{cut}", Disk(random, cut));
        Measured.Write($"power cut of the store ({where})",
            $"{told.Count} versions told, {versions} in the store, {writes.Count} writes, {writes.Flushes} flushes, {writes.UnflushedBytes(writes.Count)} bytes un-flushed of which {survives:P0} survive");
        return true;
    }

    /// <summary>The disk as a power cut some time earlier would have left it.</summary>
    private async Task JudgeMomentAsync(string before, WriteLog writes, Random random, string where)
    {
        var disk = Path.Combine(_folder, "moment.img");
        await CopyAsync(before, disk);
        var cut = random.Next(1, writes.Count + 1);
        writes.Apply(disk, cut, random.NextDouble(), random);
        await using var opened = await OpenedStore.OpenAsync(disk, s_settings);
        await opened.AssertEveryVersionIsCompleteAsync($"{where}, after {cut} of {writes.Count} writes");
    }

    private static async Task<(IReadOnlyList<ScriptedMachine> Machines, string AdminToken)> PrepareAsync(string disk, int cut, Random random)
    {
        await using var opened = await OpenedStore.OpenAsync(disk, s_settings);
        var machines = new List<ScriptedMachine>();
        for (var i = 0; i < MachinesPerLife; i++)
        {
            var agent = await ScriptedAgent.WithHostAsync(opened.Server, $"pc-{cut}-{i}-{random.Next()}");
            var image = i % 2 == 0 ? Kept : Churn;
            var task = await agent.OrderCaptureAsync(image);
            machines.Add(new ScriptedMachine(agent, task, await agent.BootAsync(task), image, Disk(random, cut)));
        }
        await opened.Server.Get<ImageVersions>().SetRetentionAsync(Churn, 1, default);
        var (_, secret) = await opened.Server.Get<ImageForge.Server.Access.ApiTokenStore>().CreateAsync($"cut-{cut}-{random.Next()}", [ImageForge.Server.Access.Scopes.Admin], null, null, default);
        return (machines, secret);
    }

    private static async Task WorkAsync(
        GuestConnection connection, IReadOnlyList<ScriptedMachine> machines, string admin, ConcurrentBag<string> told, CancellationToken end)
    {
        var sweeping = UntilCutAsync(async () =>
        {
            var client = connection.WithToken(admin);
            while (!end.IsCancellationRequested)
            {
                (await client.PostAsync("api/v1/store/sweep", null, end)).Dispose();
                await Task.Delay(500, end);
            }
        });
        await Parallel.ForEachAsync(machines, new ParallelOptions { MaxDegreeOfParallelism = 3 }, async (machine, _) => await UntilCutAsync(async () =>
        {
            var agent = new ScriptedAgent(connection, machine.Agent.Host);
            using var checkedIn = await agent.SendCheckInAsync(agent.Request(machine.BootToken));
            var answer = (await checkedIn.EnsureSuccessStatusCode().Content.ReadFromJsonAsync(AgentJson.Default.CheckInResponse, end))!;
            var client = connection.WithToken(answer.TaskToken);
            var (result, _) = await client.CaptureAsync(machine.Disk);
            var reply = await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply);
            if (machine.Image == Kept)
                told.Add(reply.ManifestHash);
            (await client.FinishAsync(HostTaskState.Succeeded)).Dispose();
        }));
        await sweeping;
    }

    /// <summary>What the cut interrupts ends with a broken connection.</summary>
    private static async Task UntilCutAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException || e.InnerException is HttpRequestException or IOException)
        {
            // As the machines of a lab see it.
        }
    }

    /// <summary>Content of which every life has half in common with the others.</summary>
    private static byte[] Disk(Random random, int cut)
    {
        var disk = ImagingCalls.DiskContent(random.Next(6));
        var own = ImagingCalls.DiskContent(1000 + cut * 100 + random.Next(100));
        own.AsSpan(0, disk.Length / 2).CopyTo(disk);
        return disk;
    }

    private static Task<string> CopyAsync(string from, string to) => Command.RunAsync("cp", "--sparse=always", "--reflink=auto", from, to);
}
