namespace ImageForge.Server.Tests;

/// <summary>One server for all tests of a class that do not disturb each other: <c>IClassFixture&lt;ServerFixture&gt;</c>.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    public TestServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
