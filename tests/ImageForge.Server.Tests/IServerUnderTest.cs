namespace ImageForge.Server.Tests;

/// <summary>What a scripted machine needs of a server: one in this process, or one that can be killed.</summary>
public interface IServerUnderTest
{
    /// <summary>A store or service on the server's data.</summary>
    T Get<T>() where T : notnull;

    HttpClient Anonymous();

    HttpClient WithToken(string token);
}
