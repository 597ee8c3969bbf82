using ImageForge.MulticastPeer;

// One machine of a multicast session, for benches and tests that put each into a network namespace of its own.
// The programs talk with their harness in lines: commands on standard input, facts on standard output.
var options = new PeerOptions(args);
switch (args.FirstOrDefault())
{
    case "send":
        await new SendPeer(options).RunAsync();
        return 0;
    case "receive":
        await new ReceivePeer(options).RunAsync();
        return 0;
    case "attack":
        new AttackPeer(options).Run();
        return 0;
    default:
        Console.Error.WriteLine("usage: multicast-peer send|receive|attack --name value …");
        return 2;
}
