using ImageForge.Server.Errors;
using Microsoft.AspNetCore.Http.Features;

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

/// <summary>Chunks and manifests are large and come as slowly as the network is: no size limit and no minimum rate for agents.</summary>
internal sealed class AgentLimitsMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Path.StartsWithSegments("/agent", StringComparison.Ordinal))
        {
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
                size.MaxRequestBodySize = null;
            if (context.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinRequestBodyDataRateFeature>() is { } request)
                request.MinDataRate = null;
            if (context.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinResponseDataRateFeature>() is { } response)
                response.MinDataRate = null;
        }
        return next(context);
    }
}
