using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImageForge.Server.Listening;

namespace ImageForge.Server.Tests.Transport;

public sealed class ServerCertificateTests
{
    [Fact]
    public async Task The_key_is_p256_lasts_ten_years_and_lies_in_a_file_for_the_owner_only()
    {
        await using var server = await TestServer.StartAsync();
        var certificate = server.Get<ServerCertificate>().Certificate;
        Assert.Equal(256, certificate.GetECDsaPublicKey()!.KeySize);
        Assert.Contains(certificate.GetECDsaPublicKey()!.ExportParameters(false).Curve.Oid.FriendlyName, new[] { "nistP256", "ECDSA_P256" });
        Assert.InRange(certificate.NotAfter - certificate.NotBefore, TimeSpan.FromDays(3650), TimeSpan.FromDays(3660));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(server.DataFolder, "server.pem")));
    }

    [Fact]
    public async Task The_pin_is_the_hash_of_the_public_key_that_the_socket_shows_and_survives_a_restart()
    {
        await using var server = await TestServer.StartAsync();
        var pin = server.Get<ServerCertificate>().Pin;
        Assert.Matches("^[0-9a-f]{64}$", pin);
        Assert.Equal(pin, await ShownAsync(server));
        await server.RestartAsync();
        Assert.Equal(pin, server.Get<ServerCertificate>().Pin);
        Assert.Equal(pin, await ShownAsync(server));
    }

    [Fact]
    public async Task Another_server_has_another_pin()
    {
        await using var one = await TestServer.StartAsync();
        await using var other = await TestServer.StartAsync();
        Assert.NotEqual(one.Get<ServerCertificate>().Pin, other.Get<ServerCertificate>().Pin);
    }

    private static async Task<string> ShownAsync(TestServer server)
    {
        var shown = "";
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
        {
            shown = certificate is X509Certificate2 full ? Convert.ToHexStringLower(SHA256.HashData(full.PublicKey.ExportSubjectPublicKeyInfo())) : "";
            return shown.Length > 0;
        };
        using var client = new HttpClient(handler) { BaseAddress = server.HttpsBase };
        await client.GetAsync("healthz");
        return shown;
    }
}
