using System.Reflection;
using ImageForge.Contracts;
using ImageForge.Server.Configuration;

namespace ImageForge.Server.Boot;

/// <summary>What <c>agent.ipxe</c> needs to know.</summary>
/// <param name="Pin">Lower-case hex SHA-256 of the server's SubjectPublicKeyInfo.</param>
/// <param name="Task">For the screen, for example <c>task 12 (deploy)</c>.</param>
internal sealed record AgentScript(string HttpBase, string HttpsBase, string Pin, string Token, MacAddress Mac, string Task, string KernelArguments, LocalBootMethod LocalBoot);

/// <summary>
/// Renders the scripts of <c>ipxe-scripts/</c>. A file that is missing or broken is replaced by the copy inside the program, with a
/// line in the log: a typing error in a script must not keep a classroom from booting.
/// </summary>
internal sealed partial class BootScripts
{
    private readonly ScriptTemplate _boot;
    private readonly ScriptTemplate _local;
    private readonly ScriptTemplate _agent;
    private readonly ScriptTemplate _wait;

    public BootScripts(ServerOptions options, ILogger<BootScripts> logger)
    {
        Logger = logger;
        _boot = Load(options.ScriptsPath, "boot.ipxe");
        _local = Load(options.ScriptsPath, "local.ipxe");
        _agent = Load(options.ScriptsPath, "agent.ipxe");
        _wait = Load(options.ScriptsPath, "wait.ipxe");
    }

    private ILogger Logger { get; }

    /// <param name="httpBase">For example <c>http://10.0.0.1:8080</c>, as the machine reaches us.</param>
    public string Boot(string httpBase) => _boot.Render(new Dictionary<string, string> { ["imageforge"] = httpBase });

    public string Local(string reason, LocalBootMethod method) => _local.Render(With(method, new()
    {
        ["reason"] = ScriptValue.Clean(reason),
    }));

    public string Agent(AgentScript script) => _agent.Render(With(script.LocalBoot, new()
    {
        ["imageforge"] = script.HttpBase,
        ["agent-server"] = script.HttpsBase,
        ["pin"] = script.Pin,
        ["token"] = script.Token,
        ["mac-hyphens"] = Hyphens(script.Mac),
        ["task"] = ScriptValue.Clean(script.Task),
        ["extra"] = script.KernelArguments,
    }));

    public string Wait(string httpBase, MacAddress mac, string task, int seconds, LocalBootMethod method) => _wait.Render(With(method, new()
    {
        ["imageforge"] = httpBase,
        ["mac-hyphens"] = Hyphens(mac),
        ["task"] = ScriptValue.Clean(task),
        ["wait-seconds"] = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture),
    }));

    private static string Hyphens(MacAddress mac) => mac.ToString().Replace(':', '-');

    private static Dictionary<string, string> With(LocalBootMethod method, Dictionary<string, string> values)
    {
        values["local-boot"] = method.Way;
        values["local-drive"] = method.Drive;
        values["local-file"] = method.File;
        return values;
    }

    private ScriptTemplate Load(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        try
        {
            return ScriptTemplate.Parse(name, File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            LogScriptReplaced(Logger, path, e.Message);
            return ScriptTemplate.Parse(name, Embedded(name));
        }
    }

    internal static string Embedded(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream($"ipxe-scripts/{name}")
            ?? throw new InvalidOperationException($"the program was built without ipxe-scripts/{name}"));
        return reader.ReadToEnd();
    }
}
