using ImageForge.Server.Configuration;
using ImageForge.Server.Images;

namespace ImageForge.Server.Jobs;

internal static class JobsFeature
{
    public static void AddJobs(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(builder.Configuration.GetSection($"{ServerOptions.Section}:Jobs").Get<JobsOptions>() ?? new JobsOptions());
        builder.Services.AddSingleton<ImageCatalog>();
        builder.Services.AddSingleton<HostTaskStore>();
        builder.Services.AddSingleton<HostTaskViews>();
        builder.Services.AddSingleton<JobStore>();
        builder.Services.AddSingleton<DeployForesight>();
        builder.Services.AddSingleton<JobDesk>();
        builder.Services.AddHostedService<SilentTaskService>();
    }

    public static void MapJobs(this WebApplication app) => JobEndpoints.Map(app);
}
