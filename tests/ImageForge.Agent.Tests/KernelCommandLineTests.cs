using System.Net;
using ImageForge.Contracts;

namespace ImageForge.Agent.Tests;

public sealed class KernelCommandLineTests
{
    private static readonly string s_pin = new('a', 64);
    private static readonly string s_good = $"BOOT_IMAGE=vmlinuz initrd=initrd.img imageforge.server=https://10.0.0.1:8443 imageforge.pin={s_pin} imageforge.token=AbC-_9 BOOTIF=01-52-54-00-12-34-56 console=ttyS0\n";

    [Fact]
    public void The_line_of_the_boot_script_is_understood()
    {
        var (settings, failure) = KernelCommandLine.Parse(s_good);

        Assert.Null(failure);
        Assert.NotNull(settings);
        Assert.Equal(new Uri("https://10.0.0.1:8443"), settings.Server);
        Assert.Equal(new IPEndPoint(IPAddress.Parse("10.0.0.1"), 8443), settings.ServerAddress);
        Assert.Equal(Enumerable.Repeat((byte)0xaa, 32), settings.Pin);
        Assert.Equal("AbC-_9", settings.BootToken);
        Assert.Equal(MacAddress.Parse("52:54:00:12:34:56"), settings.BootMac);
        Assert.Equal(TimeSpan.FromHours(1), settings.Patience);
    }

    [Theory]
    [InlineData("imageforge.patience=90", 90)]
    [InlineData("imageforge.patience=0", 0)]
    [InlineData("imageforge.patience=5 imageforge.patience=7", 7)]
    [InlineData("quoted=\"a b\" imageforge.patience=\"8\"", 8)]
    public void Patience_is_a_number_of_seconds_and_the_last_one_counts(string words, int seconds) =>
        Assert.Equal(seconds, KernelCommandLine.Parse(s_good.Trim() + " " + words).Settings!.Patience.TotalSeconds);

    [Fact]
    public void Words_after_two_dashes_belong_to_init() =>
        Assert.Contains("imageforge.server is missing", KernelCommandLine.Parse("quiet -- " + s_good).Failure!.Sentence, StringComparison.Ordinal);

    [Fact]
    public void A_word_inside_quotes_is_no_setting() =>
        Assert.Equal("AbC-_9", KernelCommandLine.Parse(s_good.Trim() + " note=\"imageforge.token=other imageforge.token=third\"").Settings!.BootToken);

    [Fact]
    public void An_address_of_version_6_is_an_address() =>
        Assert.Equal(new IPEndPoint(IPAddress.Parse("fd00::1"), 8443),
            KernelCommandLine.Parse(s_good.Replace("10.0.0.1", "[fd00::1]", StringComparison.Ordinal)).Settings!.ServerAddress);

    [Theory]
    [InlineData("imageforge.server=https://10.0.0.1:8443", "", "imageforge.server is missing")]
    [InlineData("https://10", "http://10", "must look like https://")]
    [InlineData("https://10.0.0.1:8443", "https://server.example:8443", "by IP address")]
    [InlineData("https://10.0.0.1:8443", "https://u:p@10.0.0.1:8443", "must look like https://")]
    [InlineData("https://10.0.0.1:8443", "https://10.0.0.1:8443/x", "must look like https://")]
    [InlineData("imageforge.pin=aa", "imageforge.pin=a", "64 hexadecimal")]
    [InlineData("imageforge.pin=a", "imageforge.pin=g", "64 hexadecimal")]
    [InlineData("imageforge.pin=", "x=", "imageforge.pin is missing")]
    [InlineData("imageforge.token=AbC-_9", "", "imageforge.token is missing")]
    [InlineData("imageforge.token=AbC-_9", "imageforge.token=", "imageforge.token is missing")]
    [InlineData("imageforge.token=AbC-_9", "imageforge.token=a\u001bb", "is not a token")]
    [InlineData("console=ttyS0", "imageforge.patience=soon", "number of seconds")]
    [InlineData("console=ttyS0", "imageforge.patience=-1", "number of seconds")]
    [InlineData("console=ttyS0", "imageforge.patience=99999999", "at most a week")]
    public void What_is_missing_or_wrong_is_named(string good, string bad, string named)
    {
        var (settings, failure) = KernelCommandLine.Parse(s_good.Replace(good, bad, StringComparison.Ordinal));

        Assert.Null(settings);
        Assert.Equal("badKernelCommandLine", failure!.Code);
        Assert.Contains(named, failure.Sentence, StringComparison.Ordinal);
        Assert.NotEmpty(failure.Cure);
    }

    [Theory]
    [InlineData("BOOTIF=")]
    [InlineData("BOOTIF=nonsense")]
    public void A_boot_card_that_makes_no_sense_is_left_out(string word) =>
        Assert.Null(KernelCommandLine.Parse(s_good.Replace("BOOTIF=01-52-54-00-12-34-56", word, StringComparison.Ordinal)).Settings!.BootMac);

    [Fact]
    public void Noise_gives_settings_or_a_failure_and_never_throws()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 20_000; round++)
        {
            var text = s_good.ToCharArray();
            for (var i = random.Next(12); i >= 0; i--)
                text[random.Next(text.Length)] = (char)random.Next(random.Next(2) == 0 ? 128 : 65536);
            var (settings, failure) = KernelCommandLine.Parse(new string(text, 0, random.Next(text.Length + 1)));
            Assert.True(settings is null != failure is null, $"seed {seed}, round {round}");
        }
    }
}
