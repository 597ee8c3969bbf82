using System.Net;
using ImageForge.Server.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ImageForge.Server.Tests.Access;

/// <summary>Walks every route the server has: a new endpoint that forgets its rule fails here.</summary>
public sealed class EveryAddressTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private static readonly string[] OpenToAll = ["GET /api/v1/setup", "POST /api/v1/setup", "POST /api/v1/session"];

    [Fact]
    public void Only_set_up_and_login_are_open_under_the_api()
    {
        var open = Api().Where(e => e.Metadata.GetMetadata<IAllowAnonymous>() is not null).Select(Name).Order(StringComparer.Ordinal);
        Assert.Equal(OpenToAll.Order(StringComparer.Ordinal), open);
    }

    [Fact]
    public void What_changes_something_needs_more_than_read()
    {
        var weak = Api()
            .Where(e => e.Metadata.GetMetadata<IAllowAnonymous>() is null)
            .Where(e => !Methods(e).All(m => m is "GET" or "HEAD"))
            .Where(e => !e.Metadata.GetOrderedMetadata<IAuthorizeData>().Any(a => a.Policy is Scopes.Operate or Scopes.Admin))
            .Select(Name);
        // Signing oneself out is for everybody.
        Assert.Equal(["DELETE /api/v1/session"], weak);
    }

    [Fact]
    public async Task Every_closed_address_answers_401_with_a_problem_when_nobody_is_signed_in()
    {
        var client = fixture.Server.Anonymous();
        var checkedOnes = 0;
        foreach (var endpoint in Api().Where(e => !OpenToAll.Contains(Name(e))))
        {
            foreach (var method in Methods(endpoint))
            {
                var path = System.Text.RegularExpressions.Regex.Replace(endpoint.RoutePattern.RawText!, "{[^}]*}", "1").TrimStart('/');
                var response = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
                Assert.True(response.StatusCode == HttpStatusCode.Unauthorized, $"{method} {path} answered {(int)response.StatusCode}");
                if (method != "HEAD")
                    Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
                checkedOnes++;
            }
        }
        Assert.True(checkedOnes > 15, $"only {checkedOnes} addresses were found");
    }

    [Fact]
    public async Task An_address_that_does_not_exist_is_closed_too()
    {
        await fixture.Server.Anonymous().GetAsync("api/v1/nothing", HttpStatusCode.Unauthorized);
        Assert.Equal("noSuchAddress", (await (await fixture.Server.AdminAsync()).GetAsync("api/v1/nothing", HttpStatusCode.NotFound)).Text("code"));
    }

    private IEnumerable<RouteEndpoint> Api() => ((IEndpointRouteBuilder)fixture.Server.App).DataSources.SelectMany(s => s.Endpoints)
        .OfType<RouteEndpoint>().Where(e => e.RoutePattern.RawText!.TrimStart('/').StartsWith("api/", StringComparison.Ordinal));

    private static IReadOnlyList<string> Methods(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"];

    private static string Name(RouteEndpoint endpoint) => $"{string.Join(",", Methods(endpoint))} /{endpoint.RoutePattern.RawText!.Trim('/')}";
}
