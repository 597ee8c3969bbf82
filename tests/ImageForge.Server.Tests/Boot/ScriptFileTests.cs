using System.Text.RegularExpressions;
using ImageForge.Server.Boot;

namespace ImageForge.Server.Tests.Boot;

/// <summary>What must hold for every file of ipxe-scripts/, whoever edits it.</summary>
public sealed partial class ScriptFileTests
{
    public static TheoryData<string> Names => new(ScriptFolder.Files);

    [Fact]
    public void The_four_scripts_are_there() =>
        Assert.Equal(["agent.ipxe", "boot.ipxe", "local.ipxe", "wait.ipxe"], ScriptFolder.Files);

    [Theory]
    [MemberData(nameof(Names))]
    public void Is_a_template(string name) => Assert.NotEmpty(ScriptTemplate.Parse(name, ScriptFolder.Read(name)).Settings);

    [Theory]
    [MemberData(nameof(Names))]
    public void Lies_inside_the_program_too(string name) => Assert.Equal(ScriptFolder.Read(name), BootScripts.Embedded(name));

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_command_that_fetches_has_a_timeout_and_goes_on_when_it_fails(string name)
    {
        foreach (var line in Commands(name).Where(l => Fetching().IsMatch(l)))
        {
            var timeout = Regex.Match(line, @" --timeout (\d+) ");
            Assert.True(timeout.Success, $"{name}: no timeout in: {line}");
            Assert.InRange(int.Parse(timeout.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), 1000, 5000);
            Assert.Matches(@" \|\| goto [a-z-]+$", line);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_command_can_end_the_script_by_failing(string name)
    {
        foreach (var line in Commands(name).Where(l => Regex.IsMatch(l, "^(chain|kernel|initrd|imgfetch|boot|sanboot|dhcp|isset|iseq)( |$)")))
            Assert.Matches(@" \|\|( |$)", line);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_label_that_is_jumped_to_exists_once(string name)
    {
        var lines = Commands(name).ToList();
        var labels = lines.Where(l => l.StartsWith(':')).Select(l => l[1..]).ToList();
        Assert.Equal(labels.Count, labels.Distinct().Count());
        foreach (var target in lines.SelectMany(l => Regex.Matches(l, @"goto ([a-z-]+)").Select(m => m.Groups[1].Value)))
            Assert.Contains(target, labels);
    }

    [Fact]
    public void All_scripts_have_the_same_local_boot()
    {
        var blocks = ScriptFolder.Files.Select(ScriptFolder.Read).Select(t => t[t.IndexOf("# ---- local boot", StringComparison.Ordinal)..]).ToList();
        Assert.Contains("sanboot --no-describe --drive", blocks[0]);
        Assert.All(blocks, b => Assert.Equal(blocks[0], b));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void On_uefi_the_host_record_goes_first_and_the_standard_name_that_may_rewrite_the_boot_order_last(string name)
    {
        var tried = Commands(name).Select(l => Regex.Match(l, "^sanboot .* --filename (.+) \\|\\|$")).Where(m => m.Success).Select(m => m.Groups[1].Value).ToList();
        Assert.Equal("${local-file}", tried[0]);
        Assert.Equal(@"\EFI\Microsoft\Boot\bootmgfw.efi", tried[1]);
        Assert.Contains(@"\EFI\fedora\shimx64.efi", tried);
        Assert.Equal(@"\EFI\BOOT\BOOTX64.EFI", tried[^1]);
        Assert.Single(tried, @"\EFI\BOOT\BOOTX64.EFI");
        Assert.DoesNotContain(Commands(name), l => l.Contains("set local-file \\", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Commands(string name) =>
        ScriptFolder.Read(name).Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#');

    [GeneratedRegex("^(chain|kernel|initrd|imgfetch) ")]
    private static partial Regex Fetching();
}
