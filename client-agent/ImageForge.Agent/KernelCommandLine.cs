using System.Globalization;
using System.Net;
using ImageForge.Contracts;

namespace ImageForge.Agent;

/// <summary>
/// What the boot script told this machine on the kernel command line:
/// <c>imageforge.server=https://10.0.0.1:8443 imageforge.pin=&lt;64 hex&gt; imageforge.token=&lt;base64url&gt; BOOTIF=01-52-54-00-…</c>,
/// optionally <c>imageforge.patience=&lt;seconds&gt;</c>.
/// </summary>
/// <param name="Server">https, and an IP address: the live system has no resolver.</param>
/// <param name="Pin">SHA-256 of the server's SubjectPublicKeyInfo.</param>
/// <param name="BootMac">MAC of the NIC the firmware booted from; null when the boot loader did not say.</param>
/// <param name="Patience">How long a server that does not answer is waited for.</param>
internal sealed record KernelCommandLine(Uri Server, IPEndPoint ServerAddress, byte[] Pin, string BootToken, MacAddress? BootMac, TimeSpan Patience)
{
    private const int DefaultPatienceSeconds = 3600;
    private const int MostPatienceSeconds = 7 * 24 * 3600;

    /// <summary>
    /// Reads the text of /proc/cmdline. As in the kernel, the last of several equal names wins, double quotes protect spaces,
    /// and everything after <c>--</c> belongs to init. Unknown words are ignored.
    /// </summary>
    /// <returns>The settings, or the failure that names the word that is missing or wrong.</returns>
    public static (KernelCommandLine? Settings, Failure? Failure) Parse(string text)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var word in Words(text))
        {
            if (word == "--")
                break;
            var equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
                values[word[..equals]] = word[(equals + 1)..];
        }

        if (!values.TryGetValue("imageforge.server", out var serverText))
            return Bad("imageforge.server is missing");
        if (!Uri.TryCreate(serverText, UriKind.Absolute, out var server) || server.Scheme != Uri.UriSchemeHttps
            || server.PathAndQuery != "/" || server.UserInfo.Length != 0)
            return Bad("imageforge.server must look like https://10.0.0.1:8443");
        if (!IPAddress.TryParse(server.Host.Trim('[', ']'), out var address))
            return Bad("imageforge.server must name the server by IP address");
        if (!values.TryGetValue("imageforge.pin", out var pinText))
            return Bad("imageforge.pin is missing");
        if (pinText.Length != 64 || !pinText.All(char.IsAsciiHexDigit))
            return Bad("imageforge.pin must have 64 hexadecimal digits");
        if (!values.TryGetValue("imageforge.token", out var token) || token.Length == 0)
            return Bad("imageforge.token is missing");
        if (token.Length > 256 || !token.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            return Bad("imageforge.token is not a token");

        var patience = DefaultPatienceSeconds;
        if (values.TryGetValue("imageforge.patience", out var patienceText)
            && (!int.TryParse(patienceText, NumberStyles.None, CultureInfo.InvariantCulture, out patience) || patience > MostPatienceSeconds))
            return Bad("imageforge.patience must be a number of seconds, at most a week");

        // A BOOTIF that makes no sense is a boot loader's fault and no reason to stop: the NIC in use is known from its link.
        MacAddress? mac = values.TryGetValue("BOOTIF", out var bootif) && MacAddress.TryParse(bootif, out var parsed) ? parsed : null;
        return (new KernelCommandLine(server, new IPEndPoint(address, server.Port), Convert.FromHexString(pinText), token, mac,
            TimeSpan.FromSeconds(patience)), null);
    }

    private static (KernelCommandLine?, Failure?) Bad(string what) => (null, new Failure(
        "badKernelCommandLine", Fault.Server, $"The boot script did not say what to do: {what}.",
        "Start the machine from the network again; if this comes back, look at the host's boot script on the server."));

    private static IEnumerable<string> Words(string text)
    {
        var word = new System.Text.StringBuilder();
        var quoted = false;
        foreach (var c in text)
        {
            if (c == '"')
            {
                quoted = !quoted;
            }
            else if (!quoted && c is (' ' or '\t' or '\n' or '\r' or '\0'))
            {
                if (word.Length > 0)
                    yield return word.ToString();
                word.Clear();
            }
            else
            {
                word.Append(c);
            }
        }
        if (word.Length > 0)
            yield return word.ToString();
    }
}
