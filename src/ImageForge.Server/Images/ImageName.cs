using ImageForge.Contracts;

namespace ImageForge.Server.Images;

internal static class ImageName
{
    /// <summary>As <see cref="ImageNames.IsValid"/>.</summary>
    public static bool IsValid(string? name) => ImageNames.IsValid(name);
}
