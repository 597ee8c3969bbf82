using ImageForge.Agent;

if (args is ["--version"])
{
    Console.WriteLine(AgentRun.Version);
    return 0;
}
if (AgentOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine("imageforge: unknown argument; this program is started by the live image and needs none");
    return ExitCodes.Stay;
}
return await new AgentRun(options, Console.Out, TimeProvider.System).RunAsync(CancellationToken.None);
