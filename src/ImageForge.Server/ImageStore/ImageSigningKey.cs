using System.Security.Cryptography;
using System.Text;
using ImageForge.Server.Data;

namespace ImageForge.Server.ImageStore;

/// <summary>
/// The server's ECDSA P-256 key for images, made at first start in <c>secrets/image-signing.pem</c>. It signs the SHA-256 of a sealed
/// manifest (ASN.1 DER, so that <c>openssl dgst -sha256 -verify</c> checks it against the manifest file).
/// </summary>
internal sealed class ImageSigningKey : IDisposable
{
    private readonly ECDsa _key;
    private readonly Lock _lock = new();

    public ImageSigningKey(DataFolder folder)
    {
        var path = Path.Combine(folder.Folder("secrets"), "image-signing.pem");
        if (!File.Exists(path))
        {
            using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            DataFolder.WritePrivate(path, Encoding.ASCII.GetBytes(fresh.ExportPkcs8PrivateKeyPem()));
        }
        _key = ECDsa.Create();
        _key.ImportFromPem(File.ReadAllText(path));
    }

    public string PublicKeyPem => _key.ExportSubjectPublicKeyInfoPem();

    /// <param name="hash">The 32 bytes of the manifest's SHA-256.</param>
    public byte[] Sign(ReadOnlySpan<byte> hash)
    {
        lock (_lock)
            return _key.SignHash(hash, DSASignatureFormat.Rfc3279DerSequence);
    }

    public void Dispose() => _key.Dispose();
}
