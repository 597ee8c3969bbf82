using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Connections;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Configuration;

/// <summary>Runs the server; what keeps it from starting is told in one sentence with the cure, exit code 1.</summary>
internal static partial class StartUp
{
    public static async Task<int> RunAsync(string[] args)
    {
        if (args is ["--help" or "-h", ..])
        {
            await Console.Out.WriteLineAsync("imageforge-server [flag value]…\n" + string.Join('\n', ServerConfiguration.Flags.Select(f => $"  {f.Key,-14} {f.Value}"))
                + $"\nEvery setting is also read from {ServerConfiguration.EtcFile} and from the environment (ImageForge__Section__Key).");
            return 0;
        }
        // Nothing we ever create is for others' eyes, whatever the caller's umask.
        _ = Umask(0b111_111);
        var options = new ServerOptions();
        try
        {
            // The framework logs a failed start with its stack trace before anyone can put it in words.
            var started = false;
            await using var app = Program.Build(args, builder => builder.Logging
                .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", _ => started)
                .AddFilter("Microsoft.AspNetCore.Server.Kestrel", level => started && level >= LogLevel.Warning));
            options = app.Services.GetRequiredService<ServerOptions>();
            await app.StartAsync();
            started = true;
            await Announcement.PrintAsync(app.Services, Console.Out, CancellationToken.None);
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (Exception e) when (Explain(e, options) is { } sentence)
        {
            await Console.Error.WriteLineAsync($"imageforge-server cannot start: {sentence}");
            return 1;
        }
    }

    /// <summary>The sentence for a failure that has a known cure; null: a fault of ours, which deserves its stack trace.</summary>
    public static string? Explain(Exception exception, ServerOptions options)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case StartUpException:
                    return e.Message;
                case AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }:
                    return $"Port {options.Http.Port} or {options.Https.Port} is in use by another program; find it with `ss -ltnp`, or choose other ports with --http-port and --https-port.";
                case SocketException { SocketErrorCode: SocketError.AccessDenied }:
                    return $"Port {options.Http.Port} or {options.Https.Port} may not be opened by this user; choose ports above 1023 with --http-port and --https-port, or run `sudo setcap cap_net_bind_service=+ep` on the program.";
                case SocketException { SocketErrorCode: SocketError.AddressNotAvailable }:
                    return $"{options.ListenAddress} is not an address of this machine; list them with `ip -brief address` and give one with --listen.";
                case DllNotFoundException:
                    return "SQLite's library is missing; install it with `apt-get install libsqlite3-0`.";
                case UnauthorizedAccessException or SqliteException { SqliteErrorCode: 8 or 14 or 23 }:
                    return $"The data folder {Path.GetFullPath(options.DataFolder)} is not writable by {Environment.UserName}; run `sudo install -d -m 700 -o {Environment.UserName} {Path.GetFullPath(options.DataFolder)}`, or choose another with --data-folder.";
                case SqliteException { SqliteErrorCode: 13 }:
                    return $"The disk of the data folder {Path.GetFullPath(options.DataFolder)} is full; free some space (`df -h {Path.GetFullPath(options.DataFolder)}`).";
                case SqliteException { SqliteErrorCode: 11 or 26 }:
                    return $"The database {Path.Combine(Path.GetFullPath(options.DataFolder), "imageforge.db")} is damaged; check it with `sqlite3 imageforge.db 'PRAGMA integrity_check'` and restore a backup.";
                case InvalidOperationException when ConfigurationValue().Match(e.Message) is { Success: true } value:
                    return $"The configuration says \"{value.Groups[1].Value}\" for {value.Groups[2].Value}, which is not of the right kind; correct the flag, the environment variable or {ServerConfiguration.EtcFile}.";
                case InvalidDataException or FormatException:
                    return $"The configuration cannot be read: {e.Message} Check {ServerConfiguration.EtcFile}, the ImageForge__… environment variables and the flags.";
            }
        }
        return null;
    }

    [GeneratedRegex("^Failed to convert configuration value '(.*)' at '(.*)' to type")]
    private static partial Regex ConfigurationValue();

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint Umask(uint mask);
}
