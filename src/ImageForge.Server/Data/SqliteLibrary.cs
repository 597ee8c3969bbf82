using System.Reflection;
using System.Runtime.InteropServices;

namespace ImageForge.Server.Data;

/// <summary>
/// Makes the SQLite binding load the distribution's patched libsqlite3 (3.40 on Debian 12) in place of the
/// 3.35.5 bundled with the package. Falls back to the bundled one where the distribution has none.
/// </summary>
internal static class SqliteLibrary
{
    private static readonly Lazy<string> Loaded = new(Load);

    /// <summary>Loads the library once; returns its version.</summary>
    public static string Use() => Loaded.Value;

    private static string Load()
    {
        NativeLibrary.SetDllImportResolver(Assembly.Load("SQLitePCLRaw.provider.e_sqlite3"), static (name, _, _) =>
            name == "e_sqlite3" && NativeLibrary.TryLoad("libsqlite3.so.0", out var handle) ? handle : IntPtr.Zero);
        SQLitePCL.Batteries_V2.Init();
        return SQLitePCL.raw.sqlite3_libversion().utf8_to_string();
    }
}
