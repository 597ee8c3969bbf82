using System.Net;
using ImageForge.Contracts;
using ImageForge.Server.Listening;

namespace ImageForge.Server.Boot;

/// <summary>
/// Answers one boot question to itself right after the start: the very first one compiles code for about a second, and a machine
/// that asks then would give up waiting.
/// </summary>
internal sealed partial class WarmUpService(
    BootDecider decider, BootAnswers answers, BootScripts scripts, ServerAddresses server, Configuration.ServerOptions options,
    IHostApplicationLifetime lifetime, ILogger<WarmUpService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource();
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken);
        try
        {
            // Nobody's address: the question is decided, but not recorded as somebody seen.
            var nobody = default(MacAddress);
            var addresses = BootAddresses.Of(IPAddress.Loopback, server.HttpPort, server.HttpsPort);
            var decision = await decider.DecideAsync(nobody, stoppingToken);
            answers.Preview(decision, nobody, addresses);
            scripts.Agent(new AgentScript(addresses.HttpBase, addresses.HttpsBase, "0", BootAnswers.PlaceholderToken, nobody, "", "", LocalBootMethod.Default));
            var host = IPAddress.TryParse(options.ListenAddress, out var listen) && !listen.Equals(IPAddress.Any) && !listen.Equals(IPAddress.IPv6Any) ? listen : IPAddress.Loopback;
            using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
            await client.GetStringAsync($"{BootAddresses.Of(host, server.HttpPort, 0).HttpBase}/boot/warm-up?uuid=&serial=%20", stoppingToken);
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            LogSkipped(logger, e.Message);
        }
    }
}
