namespace ImageForge.Server.Access;

/// <summary>Names of the scopes and of the authorisation policies that ask for them; each includes those before it.</summary>
internal static class Scopes
{
    public const string Read = "read";
    public const string Operate = "operate";
    public const string Admin = "admin";

    public static readonly IReadOnlyList<string> All = [Read, Operate, Admin];
}
