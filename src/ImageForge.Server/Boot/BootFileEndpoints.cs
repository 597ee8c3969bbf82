using ImageForge.Contracts;
using ImageForge.Server.Hosts;
using Microsoft.Net.Http.Headers;

namespace ImageForge.Server.Boot;

/// <summary><c>GET|HEAD /boot/files/{name}?mac=</c>: kernel, initrd and iPXE binaries, with ranges, ETag and length (UEFI HTTP boot asks HEAD first).</summary>
internal static class BootFileEndpoints
{
    public static void MapBootFiles(this WebApplication app) =>
        app.MapMethods("/boot/files/{name}", [HttpMethods.Get, HttpMethods.Head], SendAsync).AllowAnonymous().ExcludeFromDescription();

    private static async Task SendAsync(HttpContext context, string name, BootFiles files, BootTimeline timeline, TimeProvider time)
    {
        if (files.Find(name) is not { } file)
        {
            await RefuseAsync(context, "There is no boot file of that name.\n");
            return;
        }
        var info = new FileInfo(file.Path);
        if (!info.Exists)
        {
            Note(context, timeline, file, $"{file.Name} is not installed on the server: {file.Cure}", null, null);
            await RefuseAsync(context, $"{file.Name} is not installed on the server: {file.Cure}.\n");
            return;
        }
        var start = time.GetTimestamp();
        var tag = new EntityTagHeaderValue($"\"{info.Length:x}-{info.LastWriteTimeUtc.Ticks:x}\"");
        try
        {
            await TypedResults.PhysicalFile(file.Path, "application/octet-stream", null, info.LastWriteTimeUtc, tag, enableRangeProcessing: true)
                .ExecuteAsync(context);
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested || e is IOException)
        {
            Note(context, timeline, file, $"{file.Name} broken off", null, (long)time.GetElapsedTime(start).TotalMilliseconds);
            throw;
        }
        if (HttpMethods.IsGet(context.Request.Method) && context.Response.StatusCode is StatusCodes.Status200OK or StatusCodes.Status206PartialContent)
            Note(context, timeline, file, context.RequestAborted.IsCancellationRequested ? $"{file.Name} broken off" : $"{file.Name} sent",
                context.Response.ContentLength, (long)time.GetElapsedTime(start).TotalMilliseconds);
    }

    private static void Note(HttpContext context, BootTimeline timeline, BootFile file, string detail, long? bytes, long? millis)
    {
        if (MacAddress.TryParse(DeviceText.Limit(context.Request.Query["mac"]), out var mac))
            timeline.Record(mac, file.Step, detail, bytes, millis);
    }

    private static Task RefuseAsync(HttpContext context, string text)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(text);
    }
}
