using ImageForge.Server.Boot;

namespace ImageForge.Server.Tests.Boot;

public sealed class ScriptTemplateTests
{
    private const string Text = $"""
        #!ipxe
        # a comment
        {ScriptTemplate.SettingsBegin}
        set server http://192.0.2.1
        set empty
        {ScriptTemplate.SettingsEnd}
        echo from the server

        exit
        """;

    [Fact]
    public void Replaces_the_values_and_leaves_out_comments()
    {
        var script = ScriptTemplate.Parse("t.ipxe", Text).Render(new Dictionary<string, string> { ["server"] = "http://10.0.0.1:8080", ["empty"] = "" });
        Assert.Equal("#!ipxe\nset server http://10.0.0.1:8080\nset empty \necho from the server\nexit\n", script);
    }

    [Theory]
    [InlineData("${net0/mac}")]
    [InlineData("a\nexit")]
    [InlineData("a\rb")]
    [InlineData("x || shell")]
    [InlineData("x && shell")]
    [InlineData("a\u0000b")]
    [InlineData("\u202eevil")]
    public void Refuses_a_value_that_would_be_more_than_a_value(string value) =>
        Assert.Throws<ArgumentException>(() => ScriptTemplate.Parse("t.ipxe", Text).Render(new Dictionary<string, string> { ["server"] = value, ["empty"] = "" }));

    [Fact]
    public void Refuses_to_render_with_a_setting_left_out() =>
        Assert.Throws<ArgumentException>(() => ScriptTemplate.Parse("t.ipxe", Text).Render(new Dictionary<string, string> { ["server"] = "x" }));

    [Theory]
    [InlineData("echo no first line")]
    [InlineData("#!ipxe\necho no settings\n")]
    [InlineData("#!ipxe\n" + ScriptTemplate.SettingsBegin + "\nset a b\n")]
    [InlineData("#!ipxe\n" + ScriptTemplate.SettingsBegin + "\necho a\n" + ScriptTemplate.SettingsEnd + "\n")]
    public void Says_what_is_wrong_with_a_broken_file(string text) =>
        Assert.StartsWith("bad.ipxe", Assert.Throws<FormatException>(() => ScriptTemplate.Parse("bad.ipxe", text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Cleaned_text_is_always_safe()
    {
        const int seed = 20260301;
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var chars = new char[random.Next(40)];
            for (var c = 0; c < chars.Length; c++)
                chars[c] = random.Next(3) == 0 ? "${}|&\n\r\t \0#"[random.Next(11)] : (char)random.Next(0x10000);
            var text = new string(chars);
            Assert.True(ScriptValue.IsSafe(ScriptValue.Clean(text)), $"seed {seed}, text {Convert.ToHexString(System.Text.Encoding.Unicode.GetBytes(text))}");
        }
    }
}
