using System.Diagnostics;
using System.Text.Json.Nodes;
using ImageForge.Contracts;
using ImageForge.Lab;
using ImageForge.Lab.Disks;
using ImageForge.Lab.Machines;
using ImageForge.Lab.Networks;
using ImageForge.Lab.Servers;

namespace ImageForge.EndToEnd;

/// <summary>
/// A room of real network boots is deployed from one stream: one machine comes when the stream is half through, one loses its power in the
/// middle and boots again. Paced slowly and patient, because five emulated machines share two processor cores.
/// </summary>
public sealed class RolloutTests
{
    private const int InTime = 4;

    // About 40 MB are stored: long enough for an emulated machine to boot in between.
    private const double MegabitsPerSecond = 2;

    // Of the 140 MiB that are written.
    private const long PowerCutAt = 16 << 20;

    [Fact]
    public async Task A_room_is_deployed_from_one_stream_while_one_joins_late_and_one_is_power_cycled()
    {
        var captured = await CapturedImage.GetAsync();
        await using var site = await LabSite.StartAsync("rollout", captured.Data, settings: ["Multicast:LingerSeconds=120"]);
        await site.Api.SendAsync(HttpMethod.Put, "api/v1/multicast/settings", new JsonObject { ["megabitsPerSecond"] = MegabitsPerSecond, ["patienceSeconds"] = 60 });
        var room = Enumerable.Range(0, InTime + 1).Select(seat => Seat(site, seat)).ToList();
        foreach (var seat in room)
            await site.AddHostAsync(seat.Name, seat.Mac);
        var unicast = await TrafficCounter.StartAsync(site.Network);
        var tasks = await site.OrderAsync(JobKind.Deploy, [.. room.Select(seat => seat.Mac)], Order());

        var machines = await Task.WhenAll(room.Take(InTime).Select(site.PowerOnAsync));
        var session = await WaitForSessionAsync(site, sender => (string?)sender["state"] == "sending" && (int)sender["machines"]! == InTime);
        // It boots while the stream runs and joins in the middle of it.
        var late = await site.PowerOnAsync(room[InTime]);
        await tasks[1].WaitForProgressAsync(PowerCutAt, Machines.TaskLimit);
        await machines[1].CutPowerAsync();
        machines[1] = await site.PowerOnAsync(room[1] with { Name = room[1].Name + "-again" });

        foreach (var task in tasks)
            await task.WaitForSuccessAsync(Machines.TaskLimit);
        foreach (var machine in machines.Append(late))
            await machine.WaitForEndAsync(TimeSpan.FromSeconds(90));
        var source = await SourceDisk.GetAsync();
        foreach (var seat in room)
            Assert.Empty(await DiskComparison.CompareAsync(source, seat.Disks[0].Path));

        // One stream, and it carried the room: five times over HTTP would be five times the stored bytes.
        var ended = (await site.Api.GetAsync($"api/v1/sessions/{session}"))!;
        var sent = (long)ended["session"]!["bytesSent"]!;
        var overHttp = await unicast.SentAsync();
        Measured.Write("rollout of five machines", $"{sent >> 10} KiB multicast, {overHttp >> 10} KiB over HTTP for {captured.StoredBytes >> 10} KiB stored");
        Assert.True(sent > captured.StoredBytes, $"only {sent} bytes were multicast for {captured.StoredBytes} stored");
        Assert.True(sent + overHttp < 3 * captured.StoredBytes, $"{sent} bytes multicast and {overHttp} over HTTP for {captured.StoredBytes} stored: that is no stream for a room");
        var members = ended["machines"]!.AsArray();
        Assert.Equal(room.Select(seat => seat.Name).Order(), members.Select(m => (string)m!["host"]!).Distinct().Order());
        foreach (var seat in room)
            Assert.Contains(members, m => (string)m!["host"]! == seat.Name && (string?)m["outcome"] is "complete" or "goesOnOverHttp");
    }

    private static JsonObject Order()
    {
        var order = Machines.Image();
        order["multicast"] = new JsonObject { ["start"] = "scheduled", ["waitForHosts"] = InTime, ["waitMinutes"] = 10 };
        return order;
    }

    private static MachineOptions Seat(LabSite site, int seat)
    {
        var name = $"seat-{seat + 1}";
        var path = Path.Combine(site.Network.Folder, name + ".img");
        // Every other disk held something else before.
        var disk = seat % 2 == 0 ? RawImage.CreateBlank(path, SourceDisk.Bytes) : RawImage.CreateUsed(path, SourceDisk.Bytes, seat);
        return new MachineOptions(name, $"52:54:00:77:03:0{seat}")
        {
            Disks = [new(disk, $"SEAT-DISK-{seat}")],
            Uuid = $"3f0c9d5e-1111-4222-8333-52540077030{seat}",
            Serial = $"SEAT-000{seat}",
            MemoryMiB = 768,
        };
    }

    /// <summary>Waits until the only session's sender is as wanted, and returns the session's number.</summary>
    private static async Task<long> WaitForSessionAsync(LabSite site, Func<JsonNode, bool> wanted)
    {
        var clock = Stopwatch.StartNew();
        JsonNode? seen = null;
        while (clock.Elapsed < Machines.TaskLimit)
        {
            seen = (await site.Api.GetAsync("api/v1/sessions"))!["items"]!.AsArray().SingleOrDefault();
            if (seen?["sender"] is { } sender && wanted(sender))
                return (long)seen["id"]!;
            await Task.Delay(250);
        }
        throw new LabException($"the session did not get there: {seen?.ToJsonString()}\nlogs are in {Repository.LogFolder}");
    }
}
