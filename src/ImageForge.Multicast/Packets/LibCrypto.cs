using System.Runtime.InteropServices;

namespace ImageForge.Multicast.Packets;

/// <summary>The part of OpenSSL 3 (EVP_EncryptInit(3)) that <see cref="OpenSslSeal"/> calls. All return 1 for success.</summary>
internal static unsafe partial class LibCrypto
{
    // The static agent links libcrypto.a under this name (DirectPInvoke in its project file).
    private const string Name = "libcrypto.so.3";

    // openssl/evp.h: EVP_CTRL_AEAD_GET_TAG, EVP_CTRL_AEAD_SET_TAG
    public const int GetTag = 0x10, SetTag = 0x11;

    public delegate int KeyInit(nint context, nint cipher, nint engine, byte* key, byte* nonce);

    [LibraryImport(Name, EntryPoint = "EVP_CIPHER_CTX_new")]
    public static partial nint NewContext();

    [LibraryImport(Name, EntryPoint = "EVP_CIPHER_CTX_free")]
    public static partial void FreeContext(nint context);

    [LibraryImport(Name, EntryPoint = "EVP_aes_128_gcm")]
    public static partial nint Aes128Gcm();

    [LibraryImport(Name, EntryPoint = "EVP_EncryptInit_ex")]
    public static partial int EncryptKey(nint context, nint cipher, nint engine, byte* key, byte* nonce);

    [LibraryImport(Name, EntryPoint = "EVP_DecryptInit_ex")]
    public static partial int DecryptKey(nint context, nint cipher, nint engine, byte* key, byte* nonce);

    // Per packet, a few hundred nanoseconds each: shorter than what telling the garbage collector about them costs.
    [LibraryImport(Name, EntryPoint = "EVP_EncryptInit_ex"), SuppressGCTransition]
    public static partial int EncryptNonce(nint context, nint cipher, nint engine, byte* key, byte* nonce);

    [LibraryImport(Name, EntryPoint = "EVP_EncryptUpdate"), SuppressGCTransition]
    public static partial int EncryptUpdate(nint context, byte* output, int* written, byte* input, int length);

    [LibraryImport(Name, EntryPoint = "EVP_EncryptFinal_ex"), SuppressGCTransition]
    public static partial int EncryptFinal(nint context, byte* output, int* written);

    [LibraryImport(Name, EntryPoint = "EVP_DecryptInit_ex"), SuppressGCTransition]
    public static partial int DecryptNonce(nint context, nint cipher, nint engine, byte* key, byte* nonce);

    [LibraryImport(Name, EntryPoint = "EVP_DecryptUpdate"), SuppressGCTransition]
    public static partial int DecryptUpdate(nint context, byte* output, int* written, byte* input, int length);

    [LibraryImport(Name, EntryPoint = "EVP_DecryptFinal_ex"), SuppressGCTransition]
    public static partial int DecryptFinal(nint context, byte* output, int* written);

    [LibraryImport(Name, EntryPoint = "EVP_CIPHER_CTX_ctrl"), SuppressGCTransition]
    public static partial int Control(nint context, int command, int length, byte* value);
}
