using ImageForge.Server.Images;

namespace ImageForge.Server.Jobs;

internal static class JobsFeature
{
    public static void AddJobs(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ImageCatalog>();
        builder.Services.AddSingleton<HostTaskStore>();
        builder.Services.AddSingleton<JobStore>();
    }

    public static void MapJobs(this WebApplication app)
    {
    }
}
