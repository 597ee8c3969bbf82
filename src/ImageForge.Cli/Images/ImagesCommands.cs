using System.CommandLine;

namespace ImageForge.Cli.Images;

/// <summary><c>imageforge images …</c>: what a store holds.</summary>
internal static class ImagesCommands
{
    public static Command Make() => new("images", "Images and their versions")
    {
        ImagesList.Make(),
        ImagesShow.Make(),
        ImagesDelete.Make(),
        ImagesImport.Make(),
        ImagesShrink.Make(),
        ImagesVerify.Make(),
    };

    public static Argument<string> ImageArgument() => new("IMAGE") { Description = "NAME, or NAME:VERSION" };
}
