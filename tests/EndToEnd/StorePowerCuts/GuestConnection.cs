using System.Net.Http.Headers;
using ImageForge.Server.Tests;

namespace ImageForge.EndToEnd.StorePowerCuts;

/// <summary>How scripted machines reach the server in the guest: over HTTPS only, its database is out of reach.</summary>
internal sealed class GuestConnection(int port) : IServerUnderTest, IDisposable
{
    private readonly SocketsHttpHandler _handler = new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        // The port is one that QEMU opened for this test.
        SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null },
    };

    public T Get<T>() where T : notnull => throw new NotSupportedException("the guest's stores cannot be reached");

    public HttpClient Anonymous() => new(_handler, disposeHandler: false) { BaseAddress = new Uri($"https://127.0.0.1:{port}/"), Timeout = TimeSpan.FromMinutes(3) };

    public HttpClient WithToken(string token)
    {
        var client = Anonymous();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    public void Dispose() => _handler.Dispose();
}
