using ImageForge.Server.Hosts;

namespace ImageForge.Server.Tests.Hosts;

public sealed class DeviceTextTests
{
    [Theory]
    [InlineData("OptiPlex 7090", "OptiPlex 7090")]
    [InlineData("  spaces  ", "spaces")]
    [InlineData("line\r\nbreak\u001b[31m\0", "linebreak[31m")]
    [InlineData("\u202Eevil\u2066", "evil")]
    [InlineData("\t\n", null)]
    [InlineData(null, null)]
    public void Control_and_direction_characters_are_taken_out(string? given, string? expected) =>
        Assert.Equal(expected, DeviceText.Limit(given));

    [Fact]
    public void Whatever_a_device_sends_the_result_is_short_clean_and_stable()
    {
        const int seed = 20260101;
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(400)).Select(_ => (char)random.Next(0x10000))]);
            var limited = DeviceText.Limit(text);
            if (limited is null)
                continue;
            Assert.True(limited.Length is > 0 and <= DeviceText.MaxLength, $"seed {seed}, round {i}");
            Assert.DoesNotContain(limited, char.IsControl);
            Assert.Equal(limited, DeviceText.Limit(limited));
        }
    }
}
