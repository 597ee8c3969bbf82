namespace ImageForge.Server.Multicasting;

internal static class MulticastingFeature
{
    public static void AddMulticasting(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SessionStore>();
        builder.Services.AddSingleton<SessionOffers>();
    }
}
