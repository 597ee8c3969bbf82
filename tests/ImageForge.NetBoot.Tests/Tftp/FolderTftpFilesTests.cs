using System.Diagnostics;
using System.Net;
using ImageForge.NetBoot.Tftp;

namespace ImageForge.NetBoot.Tests.Tftp;

public sealed class FolderTftpFilesTests : IDisposable
{
    private static readonly IPEndPoint Client = new(IPAddress.Loopback, 1);
    private readonly DirectoryInfo _top = Directory.CreateTempSubdirectory("if-nb-");
    private readonly string _root;

    public FolderTftpFilesTests()
    {
        _root = Path.Combine(_top.FullName, "tftp");
        foreach (var folder in new[] { "tftp/boot/x64", "tftp-private", "elsewhere" })
            Directory.CreateDirectory(Path.Combine(_top.FullName, folder));
        foreach (var file in new[] { "tftp/undionly.kpxe", "tftp/boot/x64/a.efi", "tftp-private/secret", "elsewhere/secret" })
            File.WriteAllText(Path.Combine(_top.FullName, file), file);
        Link("tftp/inside", "boot/x64/a.efi");
        Link("tftp/out-relative", "../elsewhere/secret");
        Link("tftp/out-absolute", Path.Combine(_top.FullName, "elsewhere/secret"));
        Link("tftp/out-folder", "../elsewhere");
        Link("tftp/out-sibling", "../tftp-private");
        Link("tftp/boot/up", "..");
        Link("tftp/loop", "loop");
        Link("tftp/proc", "/proc/self/root");
    }

    private void Link(string path, string target) => File.CreateSymbolicLink(Path.Combine(_top.FullName, path), target);

    public static TheoryData<bool> Kernels => new(true, false);

    private TftpOpening Open(string path, bool openAt2)
    {
        using var files = new FolderTftpFiles(_root, openAt2);
        return files.Open(path, Client);
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Opens_regular_files_below_the_root(bool openAt2)
    {
        foreach (var path in new[] { "undionly.kpxe", "boot/x64/a.efi" })
        {
            using var content = Assert.IsType<TftpOpened>(Open(path, openAt2)).Content;
            var buffer = new byte[100];
            var text = System.Text.Encoding.UTF8.GetString(buffer, 0, content.Read(0, buffer));
            Assert.Equal("tftp/" + path, text);
            Assert.Equal(text.Length, content.Length);
            Assert.Equal(0, content.Read(content.Length, buffer));
        }
    }

    [Fact]
    public void Follows_a_link_that_stays_inside()
    {
        using var content = Assert.IsType<TftpOpened>(Open("inside", openAt2: true)).Content;
        Assert.Equal("tftp/boot/x64/a.efi".Length, content.Length);
        using var other = Assert.IsType<TftpOpened>(Open("boot/up/undionly.kpxe", openAt2: true)).Content;
        Assert.Equal("tftp/undionly.kpxe".Length, other.Length);
    }

    [Theory]
    [InlineData("out-relative")]
    [InlineData("out-absolute")]
    [InlineData("out-folder/secret")]
    [InlineData("out-sibling/secret")]
    [InlineData("boot/up/../tftp-private/secret")]
    [InlineData("../tftp-private/secret")]
    [InlineData("../elsewhere/secret")]
    [InlineData("/etc/passwd")]
    [InlineData("loop")]
    [InlineData("proc/etc/passwd")]
    [InlineData("boot")]
    [InlineData("boot/x64/")]
    [InlineData("undionly.kpxe/x")]
    [InlineData("missing")]
    public void Refuses_whatever_leads_out_or_is_no_file(string path)
    {
        // The path as the seam gets it after normalising has no "..": these show that the folder does not rely on that.
        foreach (var openAt2 in new[] { true, false })
            Assert.IsType<TftpRefused>(Open(path, openAt2));
    }

    [Fact]
    public void A_link_out_is_an_access_violation_and_a_missing_file_is_not_found()
    {
        Assert.Equal(TftpErrorCode.AccessViolation, Assert.IsType<TftpRefused>(Open("out-relative", true)).Code);
        Assert.Equal(TftpErrorCode.AccessViolation, Assert.IsType<TftpRefused>(Open("out-relative", false)).Code);
        Assert.Equal(TftpErrorCode.FileNotFound, Assert.IsType<TftpRefused>(Open("missing", true)).Code);
        Assert.Equal(TftpErrorCode.FileNotFound, Assert.IsType<TftpRefused>(Open("missing", false)).Code);
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void A_fifo_is_refused_and_does_not_block(bool openAt2)
    {
        using (var mkfifo = Process.Start("mkfifo", Path.Combine(_root, "pipe")))
            mkfifo.WaitForExit();
        Assert.Equal("not a regular file", Assert.IsType<TftpRefused>(Open("pipe", openAt2)).Message);
    }

    [Fact]
    public async Task A_link_swapped_in_while_serving_never_yields_the_secret()
    {
        // Resolve-then-open would lose this race sooner or later; the kernel walks once.
        var path = Path.Combine(_root, "turncoat");
        using var stop = new CancellationTokenSource();
        var swapper = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                File.Delete(path);
                File.WriteAllText(path, "plain");
                File.Delete(path);
                File.CreateSymbolicLink(path, "../elsewhere/secret");
            }
        });
        using var files = new FolderTftpFiles(_root);
        var (opened, refused) = (0, 0);
        for (var i = 0; i < 2_000_000 && (opened < 1000 || refused < 1000); i++)
        {
            switch (files.Open("turncoat", Client))
            {
                case TftpOpened { Content: var content }:
                    using (content)
                        Assert.NotEqual("elsewhere/secret".Length, content.Length);
                    opened++;
                    break;
                case TftpRefused { Code: TftpErrorCode.AccessViolation }:
                    refused++;
                    break;
            }
        }
        await stop.CancelAsync();
        await swapper;
        Assert.True(opened >= 1000 && refused >= 1000, $"the race was not run: {opened} opened, {refused} refused");
    }

    [Fact]
    public void A_missing_root_is_named() =>
        Assert.Contains("/nowhere", Assert.Throws<DirectoryNotFoundException>(() => new FolderTftpFiles("/nowhere")).Message, StringComparison.Ordinal);

    public void Dispose() => _top.Delete(recursive: true);
}
