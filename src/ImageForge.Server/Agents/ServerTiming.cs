using System.Globalization;

namespace ImageForge.Server.Agents;

/// <summary>Tells the agent how long the server itself worked on a request, so that its screen can tell a slow server from a slow network (W3C Server Timing).</summary>
internal static class ServerTiming
{
    /// <param name="started">A timestamp of <paramref name="time"/>; called before the body is sent.</param>
    public static void Tell(HttpContext context, TimeProvider time, long started) =>
        context.Response.Headers["Server-Timing"] = string.Create(CultureInfo.InvariantCulture, $"work;dur={time.GetElapsedTime(started).TotalMilliseconds:0.###}");
}
