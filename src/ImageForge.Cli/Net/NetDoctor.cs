using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json;
using ImageForge.Cli.Output;
using ImageForge.NetDoctor;

namespace ImageForge.Cli.Net;

/// <summary><c>imageforge net doctor</c>: what on this network keeps machines from booting, or multicast from arriving?</summary>
internal static class NetDoctor
{
    public static Command Make()
    {
        var interfaces = new Option<string[]>("--interface", "-i") { Description = "Network interface to look at, repeatable; left out: that of the default route", HelpName = "NIC", AllowMultipleArgumentsPerToken = false };
        var seconds = new Option<double>("--seconds")
        {
            Description = string.Create(CultureInfo.InvariantCulture, $"How long to listen, {DoctorOrder.ShortestListen.TotalSeconds} to {DoctorOrder.LongestListen.TotalSeconds}; queriers ask every 125 s"),
            HelpName = "N",
            DefaultValueFactory = _ => DoctorOrder.DefaultListen.TotalSeconds,
        };
        var server = new Option<string?>("--server") { Description = "IPv4 address of the ImageForge server, when it is not this machine", HelpName = "ADDRESS" };
        var target = new Option<string?>("--target") { Description = "IPv4 address to measure the path to; left out: the gateway", HelpName = "ADDRESS" };
        var format = OutputOption.Make(OutputFormat.Table, OutputFormat.Json);
        var command = new Command("doctor", "Sends and listens on the network, and names what is wrong with its cure; changes nothing") { interfaces, seconds, server, target, format };
        command.Runs(async (parsed, cancel) =>
        {
            var order = new DoctorOrder(Interfaces(parsed.GetValue(interfaces)), Listen(parsed.GetValue(seconds)))
            {
                ServerAddresses = Address("--server", parsed.GetValue(server)) is { } address ? [address] : [],
                PathTarget = Address("--target", parsed.GetValue(target)),
            };
            if (Terminal.ErrorIsOne)
                await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"listening on {string.Join(", ", order.Interfaces)} for {order.Listen.TotalSeconds:0} s …"));
            var report = await NetworkDoctor.RunAsync(order, TimeProvider.System, cancel);
            if (parsed.GetValue(format) == OutputFormat.Json)
                Console.Out.WriteLine(JsonSerializer.Serialize(report, DoctorJson.Default.DoctorReport));
            else
                DoctorText.Print(report, Console.Out);
            return report.AllFine ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    private static string[] Interfaces(string[]? given) =>
        given is { Length: > 0 } ? given
        : NetworkDoctor.DefaultInterface() is { } route ? [route]
        : throw Verb.UsageError("No interface was named, and this machine has no default route.", "Name one with --interface NIC; `ip link` lists them.");

    private static TimeSpan Listen(double seconds) =>
        seconds >= DoctorOrder.ShortestListen.TotalSeconds && seconds <= DoctorOrder.LongestListen.TotalSeconds
            ? TimeSpan.FromSeconds(seconds)
            : throw Verb.UsageError(
                string.Create(CultureInfo.InvariantCulture, $"{seconds} seconds is no time to listen."),
                string.Create(CultureInfo.InvariantCulture, $"--seconds takes {DoctorOrder.ShortestListen.TotalSeconds} to {DoctorOrder.LongestListen.TotalSeconds}."));

    private static IPAddress? Address(string option, string? text) =>
        text is null ? null
        : IPAddress.TryParse(text, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? address
        : throw Verb.UsageError($"\"{text}\" is not an IPv4 address.", $"{option} takes one, for example 10.20.0.1.");
}
