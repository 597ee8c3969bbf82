using System.Net;
using System.Text;
using ImageForge.Server.Listening;

namespace ImageForge.Server.Boot;

/// <summary>
/// <c>GET /boot.ipxe</c>, the static first script, and <c>GET /boot/{mac}</c>, the question: always 200 with a script, for whatever
/// comes, because an error page would leave the machine standing.
/// </summary>
internal static class BootEndpoints
{
    public static void MapBootQuestion(this WebApplication app)
    {
        app.MapGet("/boot.ipxe", First).AllowAnonymous().ExcludeFromDescription();
        app.MapGet("/boot/{**mac}", AskAsync).AllowAnonymous().ExcludeFromDescription();
    }

    private static Task First(HttpContext context, BootScripts scripts, ServerAddresses server) =>
        SendAsync(context, scripts.Boot(BootAddresses.Of(context, server).HttpBase));

    private static async Task AskAsync(HttpContext context, string? mac, BootAnswers answers, ServerAddresses server)
    {
        var question = BootQuestion.Read(mac ?? "", context.Connection.RemoteIpAddress ?? IPAddress.None, context.Request.QueryString);
        await SendAsync(context, await answers.AnswerAsync(question, BootAddresses.Of(context, server), context.RequestAborted));
    }

    private static async Task SendAsync(HttpContext context, string script)
    {
        var bytes = Encoding.ASCII.GetBytes(script);
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }
}
