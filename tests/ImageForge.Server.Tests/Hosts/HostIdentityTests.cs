using ImageForge.Contracts;
using ImageForge.Server.Hosts;

namespace ImageForge.Server.Tests.Hosts;

public sealed class HostIdentityTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF")]
    [InlineData("0")]
    [InlineData("XXXXXXXX")]
    [InlineData("To be filled by O.E.M.")]
    [InlineData("To Be Filled By O.E.M.")]
    [InlineData("Default string")]
    [InlineData("None")]
    [InlineData("N/A")]
    [InlineData("Not Specified")]
    [InlineData("System Serial Number")]
    [InlineData("Chassis Serial Number")]
    [InlineData("123456789")]
    [InlineData("0123456789")]
    [InlineData("..................")]
    [InlineData("03000200-0400-0500-0006-000700080009")]
    [InlineData("00020003-0004-0005-0006-000700080009")]
    [InlineData("{03000200-0400-0500-0006-000700080009}")]
    [InlineData("4c4c4544-0000-2010-8020-80c04f202020")]
    [InlineData("12345678-1234-5678-90ab-cddeefaabbcc")]
    public void A_placeholder_names_no_machine(string? value) => Assert.True(HostIdentity.IsJunk(value));

    [Theory]
    [InlineData("4c4c4544-0042-3510-8054-b7c04f4e3132")]
    [InlineData("7B5TN12")]
    [InlineData("PF2XK0AB")]
    [InlineData("VMware-56 4d 8f 0e 2f 1a 6c 8d-4e 3b 1c 9a 7f 5d 2e 10")]
    public void A_real_value_is_not_junk(string value) => Assert.False(HostIdentity.IsJunk(value));

    [Fact]
    public void Another_uuid_or_serial_is_a_mismatch_that_names_both()
    {
        var host = Host(uuid: "4c4c4544-0042-3510-8054-b7c04f4e3132", serial: "7B5TN12");
        Assert.Null(HostIdentity.Mismatch(host, Machine("4C4C4544-0042-3510-8054-B7C04F4E3132", "7b5tn12"), mustTell: true));
        var uuid = HostIdentity.Mismatch(host, Machine("4c4c4544-0042-3510-8054-b7c04f4e3133", "7B5TN12"), mustTell: true);
        Assert.Contains("b7c04f4e3133", uuid, StringComparison.Ordinal);
        Assert.Contains("b7c04f4e3132", uuid, StringComparison.Ordinal);
        Assert.Contains("OTHER99", HostIdentity.Mismatch(host, Machine("4c4c4544-0042-3510-8054-b7c04f4e3132", "OTHER99"), mustTell: true), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_the_record_lacks_contradicts_nothing(bool mustTell)
    {
        Assert.Null(HostIdentity.Mismatch(Host(null, null), Machine("4c4c4544-0042-3510-8054-b7c04f4e3132", "X1"), mustTell));
        Assert.Null(HostIdentity.Mismatch(Host("00000000-0000-0000-0000-000000000000", "Default string"), Machine(null, null), mustTell));
    }

    [Theory]
    [InlineData(null, "X1", "UUID")]
    [InlineData("00000000-0000-0000-0000-000000000000", "X1", "UUID")]
    [InlineData("4c4c4544-0042-3510-8054-b7c04f4e3132", null, "serial")]
    [InlineData("4c4c4544-0042-3510-8054-b7c04f4e3132", "Default string", "serial")]
    public void What_the_machine_lacks_is_a_mismatch_only_where_it_must_be_told(string? uuid, string? serial, string named)
    {
        var host = Host("4c4c4544-0042-3510-8054-b7c04f4e3132", "X1");
        Assert.Contains($"tells no {named}", HostIdentity.Mismatch(host, Machine(uuid, serial), mustTell: true), StringComparison.Ordinal);
        Assert.Null(HostIdentity.Mismatch(host, Machine(uuid, serial), mustTell: false));
    }

    [Fact]
    public void The_byte_orders_of_old_and_new_smbios_are_one_machine() =>
        Assert.Null(HostIdentity.Mismatch(Host("00112233-4455-6677-8899-aabbccddeeff", null), Machine("33221100-5544-7766-8899-aabbccddeeff", null), mustTell: true));

    private static Host Host(string? uuid, string? serial) =>
        new(1, "lab-01", HostState.Approved, [], uuid, serial, null, null, null, null, null, null, default, null, null);

    private static Inventory Machine(string? uuid, string? serial) =>
        new(FirmwarePlatform.Uefi, "x86_64", uuid, serial, null, null, null, null, new CpuInventory("cpu", 1, 1, 1), 1 << 30, [], []);
}
