using ImageForge.Server.Errors;

namespace ImageForge.Server.Listening;

/// <summary>
/// Plain HTTP carries only what firmware and iPXE need, which cannot verify our certificate, and the health check. A page is
/// sent on to HTTPS; anything that may carry a secret is refused, so that nobody gets used to sending it in clear.
/// </summary>
internal sealed class PlainHttpMiddleware(RequestDelegate next, ServerAddresses addresses)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.IsHttps || IsPlain(request.Path))
        {
            await next(context);
            return;
        }
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            var target = new HostString(request.Host.Host, addresses.HttpsPort);
            context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
            context.Response.Headers.Location = $"https://{target}{request.PathBase}{request.Path}{request.QueryString}";
            return;
        }
        await Problems.Forbidden("httpsOnly", "This address is served over HTTPS only.",
            $"Send the request to https on port {addresses.HttpsPort}; treat what was just sent in clear as known to others.").ExecuteAsync(context);
    }

    private static bool IsPlain(PathString path) =>
        path.StartsWithSegments("/boot", StringComparison.Ordinal) || path == "/boot.ipxe" || path == "/healthz";
}
