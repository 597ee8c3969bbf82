using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Server.Data;
using ImageForge.Server.Events;
using ImageForge.Server.Jobs;
using ImageForge.Server.Listening;

namespace ImageForge.Server.Boot;

/// <summary>
/// Answers boot questions with a script: decides, hands out a token where the question deserves one, and records what happened.
/// Always has an answer; whatever goes wrong here, the machine boots its disk.
/// </summary>
internal sealed partial class BootAnswers(
    BootDecider decider,
    BootTokens tokens,
    HostTaskStore tasks,
    Database database,
    AddressProof proof,
    BootScripts scripts,
    SightingQueue sightings,
    BootTimeline timeline,
    EventLog events,
    ServerCertificate certificate,
    BootOptions options,
    TimeProvider time,
    ILogger<BootAnswers> logger)
{
    private const int WaitSeconds = 3;
    public const string PlaceholderToken = "one-time-token";

    private readonly TokenBuckets<MacAddress> _tokensPerMac = new(options.TokenBurstPerMac, 1 / options.SecondsPerToken, time);
    private readonly TokenBuckets<MacAddress> _eventsPerMac = new(1, 1 / 60.0, time);

    /// <param name="question">Null: the address in the URL was no MAC.</param>
    public async Task<string> AnswerAsync(BootQuestion? question, BootAddresses addresses, CancellationToken cancellationToken)
    {
        if (question is null)
            return scripts.Local("the address in the boot question is not a MAC address", LocalBootMethod.Default);
        try
        {
            // On a busy database the machine is more important than its task: it can ask again at the next boot.
            return await TryAnswerAsync(question, addresses, cancellationToken)
                .WaitAsync(TimeSpan.FromMilliseconds(options.DecisionMilliseconds), time, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailed(logger, question.Mac, e);
            return scripts.Local("the server could not decide; its log says why", LocalBootMethod.Default);
        }
    }

    /// <summary>The script as a machine would get it, with a placeholder for the token; changes nothing.</summary>
    public string Preview(BootDecision decision, MacAddress mac, BootAddresses addresses) =>
        Script(decision, mac, addresses, PlaceholderToken);

    private async Task<string> TryAnswerAsync(BootQuestion question, BootAddresses addresses, CancellationToken cancellationToken)
    {
        var decision = await decider.DecideAsync(question.Mac, cancellationToken);
        sightings.Offer(question.Sighting(), known: decision.Host is not null);
        string? token = null;
        if (decision.Way == BootWay.Agent)
            (decision, token) = await HandOutAsync(decision, question, cancellationToken);
        timeline.Record(question.Mac, "script", string.Create(CultureInfo.InvariantCulture, $"{Name(decision.Way)}: {decision.Reason}"));
        return Script(decision, question.Mac, addresses, token);
    }

    private async Task<(BootDecision Decision, string? Token)> HandOutAsync(BootDecision decision, BootQuestion question, CancellationToken cancellationToken)
    {
        var task = decision.Task!;
        var tie = proof.Find(question.Mac, question.Source);
        if (tie == AddressTie.None)
        {
            if (_eventsPerMac.TryTake(question.Mac))
            {
                LogNotTied(logger, question.Mac, question.Source, task.Id);
                await events.RecordAsync("bootRefused", question.Mac.ToString(), string.Create(CultureInfo.InvariantCulture,
                    $"{question.Source} asked for the agent of task {task.Id} in the name of {question.Mac}, but nothing ties that address to this machine, so it booted its disk. If the machine is behind a router, add its network to ImageForge:Boot:TrustedSubnets."), cancellationToken);
            }
            return (decision with { Way = BootWay.Local, Reason = "the server cannot tell that this address belongs to this machine; see the events page" }, null);
        }
        if (!_tokensPerMac.TryTake(question.Mac))
            return (decision with { Way = BootWay.Wait, Reason = "this machine asked too often within a minute" }, null);
        var token = await database.WriteAsync<string>(async (_, transaction) =>
        {
            // From here on people see that the machine is on its way. Later states stay: they say how far the work had come.
            if (task.State < HostTaskState.Booting)
                await tasks.MoveAsync(task.Id, HostTaskState.Booting, $"{question.Source} fetched the boot script of the agent", cancellationToken, transaction);
            return await tokens.MintAsync(task.Id, question.Mac, cancellationToken, transaction);
        }, cancellationToken);
        return (decision, token);
    }

    private string Script(BootDecision decision, MacAddress mac, BootAddresses addresses, string? token)
    {
        if (!LocalBootMethod.TryParse(decision.Host?.LocalBoot, out var localBoot))
            LogLocalBootUnknown(logger, mac, decision.Host?.LocalBoot, LocalBootMethod.Forms);
        return (decision.Way, decision.Task) switch
        {
            (BootWay.Agent, { } task) when token is not null => scripts.Agent(new AgentScript(
                addresses.HttpBase, addresses.HttpsBase, certificate.Pin, token, mac, Describe(task), options.KernelArguments, localBoot)),
            (BootWay.Wait, { } task) => scripts.Wait(addresses.HttpBase, mac, Describe(task), WaitSeconds, localBoot),
            _ => scripts.Local(decision.Reason, localBoot),
        };
    }

    private static string Describe(HostTask task) => string.Create(CultureInfo.InvariantCulture, $"task {task.Id} ({BootDecider.Name(task.Kind)})");

    private static string Name(BootWay way) => way switch
    {
        BootWay.Agent => "agent",
        BootWay.Wait => "wait",
        _ => "local disk",
    };
}
