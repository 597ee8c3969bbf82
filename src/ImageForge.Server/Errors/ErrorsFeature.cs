using System.Text.Json;
using System.Text.Json.Serialization;
using ImageForge.Contracts;

namespace ImageForge.Server.Errors;

internal static class ErrorsFeature
{
    public static void AddErrors(this WebApplicationBuilder builder)
    {
        builder.Services.AddProblemDetails();
        builder.Services.Configure<RouteHandlerOptions>(static options => options.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(static options =>
        {
            var json = options.SerializerOptions;
            json.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
            json.RespectNullableAnnotations = true;
            json.RespectRequiredConstructorParameters = true;
            json.DefaultIgnoreCondition = JsonIgnoreCondition.Never;
            json.Converters.Add(new MacAddressConverter());
            json.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        });
    }

    public static void UseErrors(this WebApplication app) => app.UseMiddleware<ErrorMiddleware>();

    private sealed class MacAddressConverter : JsonConverter<MacAddress>
    {
        public override MacAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            MacAddress.TryParse(reader.GetString(), out var mac) ? mac : throw new JsonException("not a MAC address; write it as 3c:ec:ef:4c:4f:54");

        public override void Write(Utf8JsonWriter writer, MacAddress value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }
}
