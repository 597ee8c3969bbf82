using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace ImageForge.Server.Listening;

/// <summary>The ports the server really listens on (configuration may say 0); known once it has started.</summary>
internal sealed class ServerAddresses(IServer server)
{
    public int HttpPort => Port("http");

    public int HttpsPort => Port("https");

    private int Port(string scheme)
    {
        foreach (var address in server.Features.Get<IServerAddressesFeature>()!.Addresses)
        {
            // The wildcard forms "http://[::]:8080" and "http://*:8080" do not all parse as a URI.
            if (address.StartsWith(scheme + "://", StringComparison.Ordinal))
                return BindingAddress.Parse(address).Port;
        }
        throw new InvalidOperationException($"the server does not listen for {scheme} yet");
    }
}
