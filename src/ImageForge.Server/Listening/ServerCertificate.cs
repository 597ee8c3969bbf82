using System.Net;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ImageForge.Server.Data;

namespace ImageForge.Server.Listening;

/// <summary>
/// The server's own certificate: ECDSA P-256, self-signed, made at first start, 10 years. Agents do not ask who signed it;
/// they compare <see cref="Pin"/>, which reaches them on the kernel command line.
/// </summary>
internal sealed class ServerCertificate
{
    public ServerCertificate(DataFolder folder, TimeProvider time)
    {
        // Certificate and key in one file: either both are there after a crash or neither.
        var file = Path.Combine(folder.Root, "server.pem");
        if (!File.Exists(file))
            DataFolder.WritePrivate(file, Encoding.ASCII.GetBytes(Make(time)));
        Certificate = X509Certificate2.CreateFromPemFile(file);
        Pin = Convert.ToHexStringLower(SHA256.HashData(Certificate.PublicKey.ExportSubjectPublicKeyInfo()));
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>Lower-case hex SHA-256 of the certificate's SubjectPublicKeyInfo (as in RFC 7469 §2.4). Not a secret.</summary>
    public string Pin { get; }

    private static string Make(TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=ImageForge {Environment.MachineName}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        if (Uri.CheckHostName(Environment.MachineName) == UriHostNameType.Dns)
            names.AddDnsName(Environment.MachineName);
        foreach (var address in Addresses())
            names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        var now = time.GetUtcNow();
        // A day back: clients with a clock slightly behind must not refuse a fresh server.
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));
        return certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
    }

    private static IEnumerable<IPAddress> Addresses() =>
        NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address)
            .Where(a => !a.IsIPv6LinkLocal)
            .Distinct();
}
