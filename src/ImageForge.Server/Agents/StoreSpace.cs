using System.Globalization;
using ImageForge.Server.Errors;
using ImageForge.Server.ImageStore;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Agents;

/// <summary>Says that the server's disk is full, with the numbers.</summary>
internal sealed class StoreSpace(StoreFolder folder, ImageStoreOptions options)
{
    public ProblemHttpResult Problem() => Problems.InsufficientStorage("serverDiskFull",
        string.Create(CultureInfo.InvariantCulture,
            $"The server's disk is full: {folder.FreeBytes()} bytes are free at {folder.Root} and {options.ReserveBytes} are kept in reserve."),
        "Free space there or enlarge that file system, then start the job again; what has arrived is kept.");
}
