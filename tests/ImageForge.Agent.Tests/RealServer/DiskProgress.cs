namespace ImageForge.Agent.Tests.RealServer;

/// <summary>Tells from the disk itself how far an agent has come.</summary>
internal static class DiskProgress
{
    public static bool HasContent(TemporaryFolder folder, string name, long at)
    {
        var some = new byte[64];
        using var file = File.OpenHandle(folder.File(name), share: FileShare.ReadWrite);
        RandomAccess.Read(file, some, at);
        return some.AsSpan().ContainsAnyExcept((byte)0);
    }

    public static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; i < 3000; i++)
        {
            if (condition())
                return;
            await Task.Delay(10);
        }
        Assert.Fail("the task never got under way");
    }
}
