using System.Text.Json.Nodes;
using ImageForge.Lab;

namespace ImageForge.EndToEnd;

public sealed class LiveImageTests
{
    [Fact]
    public void Kernel_and_initrd_of_the_virtual_drivers_are_at_most_25_MB_to_download()
    {
        var image = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.LiveImage, "live-image.json")))!;
        Assert.Equal("virtual", (string?)image["drivers"]);
        var sizes = image["files"]!.AsArray().Select(file => ((string)file!["name"]!, (long)file["bytes"]!)).ToList();
        Assert.All(sizes, file => Assert.Equal(new FileInfo(Path.Combine(Repository.LiveImage, file.Item1)).Length, file.Item2));
        Measured.Write("live image", $"{sizes.Sum(file => file.Item2) / 1000} kB to download");
        Assert.InRange(sizes.Sum(file => file.Item2), 1, 25_000_000);
    }

    [Fact]
    public async Task Two_builds_from_the_same_inputs_give_the_same_bytes()
    {
        var again = Directory.CreateTempSubdirectory("if-rebuild-").FullName;
        try
        {
            await CopySourcesAsync(again);
            // The downloaded packages are inputs, shared by both builds.
            Directory.CreateDirectory(Path.Combine(again, "build"));
            Directory.CreateSymbolicLink(Path.Combine(again, "build", "apt"), Path.Combine(Repository.Build, "apt"));
            await Command.RunAsync("dotnet", "publish", Path.Combine(again, "client-agent", "ImageForge.Agent"), "-c", "Release", "-p:PublishAot=true", "-v", "q", "-o", Path.Combine(again, "build", "agent"));
            // Under another umask: the builder's habits must not reach the archive.
            await Command.RunAsync("sh", "-c", "umask 077 && exec \"$1\"", "sh", Path.Combine(again, "client-agent", "live-image", "build.sh"));
            foreach (var file in new[] { "agent/imageforge-agent", "live/vmlinuz", "live/initrd.img", "live/live-image.json" })
            {
                var same = await Command.TryAsync("cmp", Path.Combine(Repository.Build, file), Path.Combine(again, "build", file));
                Assert.True(same.ExitCode == 0, $"two builds of {file} differ: {same.All}");
            }
        }
        finally
        {
            Directory.Delete(again, recursive: true);
        }
    }

    [Fact]
    [Trait("form", "long")]
    public async Task The_full_driver_set_builds_with_its_firmware()
    {
        var folder = Directory.CreateTempSubdirectory("if-full-").FullName;
        try
        {
            Directory.CreateSymbolicLink(Path.Combine(folder, "apt"), Path.Combine(Repository.Build, "apt"));
            await Command.RunAsync("env", $"IMAGEFORGE_BUILD={folder}", Path.Combine(Repository.Top, "client-agent", "live-image", "build.sh"),
                "--drivers", "full", "--agent", Path.Combine(Repository.Build, "agent", "imageforge-agent"));
            var names = await Command.RunAsync("sh", "-c", "zstd -dc \"$1\" | cpio --quiet -t", "sh", Path.Combine(folder, "live", "initrd.img"));
            Assert.Contains("mpt3sas.ko", names, StringComparison.Ordinal);
            Assert.Contains("lib/firmware/bnx2/", names, StringComparison.Ordinal);
            Assert.Contains("lib/firmware/rtl_nic/", names, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task CopySourcesAsync(string folder)
    {
        foreach (var name in (await Command.RunAsync("git", "-C", Repository.Top, "ls-files", "--cached", "--others", "--exclude-standard")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!File.Exists(Path.Combine(Repository.Top, name)))
                continue;
            var target = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(Repository.Top, name), target);
        }
    }
}
