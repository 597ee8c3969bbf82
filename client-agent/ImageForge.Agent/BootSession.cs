using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using ImageForge.Contracts;

namespace ImageForge.Agent;

/// <summary>
/// What must survive a restart of this program within one boot, in a folder of the live system's memory (/run/imageforge):
/// the check-in nonce, because the boot token accepts only one, and the task token once there is one.
/// </summary>
internal sealed class BootSession(string folder)
{
    private string NoncePath => Path.Combine(folder, "nonce");
    private string CheckInPath => Path.Combine(folder, "check-in.json");

    /// <summary>32 random bytes, base64url; the same for every call on this boot.</summary>
    public string Nonce()
    {
        if (File.Exists(NoncePath) && File.ReadAllText(NoncePath) is { Length: 43 } kept)
            return kept;
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        Write(NoncePath, nonce);
        return nonce;
    }

    /// <summary>The answer to this boot's check-in with the same boot token, null before the first one.</summary>
    public CheckInResponse? CheckedIn(string bootToken)
    {
        try
        {
            var kept = File.Exists(CheckInPath) ? JsonSerializer.Deserialize(File.ReadAllBytes(CheckInPath), SessionJson.Default.KeptCheckIn) : null;
            return kept?.BootToken == bootToken ? kept.Response : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Keep(string bootToken, CheckInResponse response) =>
        Write(CheckInPath, JsonSerializer.Serialize(new KeptCheckIn(bootToken, response), SessionJson.Default.KeptCheckIn));

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var temporary = path + ".new";
        File.WriteAllText(temporary, text);
        File.SetUnixFileMode(temporary, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(temporary, path, overwrite: true);
    }
}

internal sealed record KeptCheckIn(string BootToken, CheckInResponse Response);

[JsonSerializable(typeof(KeptCheckIn))]
internal sealed partial class SessionJson : JsonSerializerContext;
