using ImageForge.NetDoctor;

namespace ImageForge.Server.NetworkDoctoring;

internal static class NetworkDoctoringFeature
{
    public static void AddNetworkDoctoring(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<DoctorRun>(static services =>
        {
            var time = services.GetRequiredService<TimeProvider>();
            return (order, cancellationToken) => NetworkDoctor.RunAsync(order, time, cancellationToken);
        });
        builder.Services.AddSingleton<DoctorOrders>();
        builder.Services.AddSingleton<DoctorDesk>();
    }

    public static void MapNetworkDoctoring(this WebApplication app) => DoctorEndpoints.Map(app);
}
