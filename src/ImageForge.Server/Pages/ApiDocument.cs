using ImageForge.Contracts;
using ImageForge.Server.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace ImageForge.Server.Pages;

/// <summary>What the OpenAPI document says beyond the routes: the title, how to sign in, which scope an operation needs.</summary>
internal static class ApiDocument
{
    public static void Configure(OpenApiOptions options)
    {
        options.ShouldInclude = static description => description.RelativePath?.StartsWith("api/v1/", StringComparison.Ordinal) == true;
        options.AddDocumentTransformer(static (document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "ImageForge",
                Version = "v1",
                Description = "Errors are application/problem+json with type, title, detail, fault, hint and code. MAC addresses are accepted in every common form. "
                    + "Times are RFC 3339 UTC, sizes bytes.",
            };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [BearerHandler.SchemeName] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An API token, ifk_…" },
                [SessionHandler.SchemeName] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.ApiKey,
                    In = ParameterLocation.Cookie,
                    Name = SessionHandler.CookieName,
                    Description = $"The cookie of POST /api/v1/session; what changes something needs the header {CrossSiteMiddleware.Header}: 1 as well.",
                },
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer(static (operation, context, _) =>
        {
            var metadata = context.Description.ActionDescriptor.EndpointMetadata;
            if (!metadata.OfType<IAllowAnonymous>().Any() && metadata.OfType<IAuthorizeData>().LastOrDefault(a => a.Policy is not null) is { Policy: { } scope })
                operation.Description = $"{operation.Description} Needs the scope {scope}.".Trim();
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer(static (schema, context, _) =>
        {
            var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
            if (type == typeof(MacAddress))
            {
                schema.Type = JsonSchemaType.String;
                schema.Properties?.Clear();
                schema.Pattern = "^([0-9a-f]{2}:){5}[0-9a-f]{2}$";
            }
            return Task.CompletedTask;
        });
    }
}
