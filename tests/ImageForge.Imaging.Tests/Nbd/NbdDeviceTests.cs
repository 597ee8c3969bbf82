using System.Buffers.Binary;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Nbd;
using ImageForge.Imaging.Tests.Fuzzing;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Nbd;

public sealed class NbdDeviceTests(ITestOutputHelper output)
{
    [Fact]
    public void Reads_what_the_server_says_and_asks_by_the_protocol()
    {
        var connection = new ScriptedNbd(Script());
        using (var disk = new NbdDevice(connection, "machine.qcow2", 512, readOnly: false, null))
        {
            Assert.Equal(8L << 20, disk.SizeBytes);
            var buffer = new byte[4096];
            disk.Read(1 << 20, buffer);
            Assert.All(buffer, b => Assert.Equal(0xAB, b));
            var error = Assert.Throws<DiskException>(() => disk.Write(0, new byte[512]));
            Assert.Equal(DiskTrouble.NoSpace, error.Trouble);
        }
        var asked = connection.Asked.ToArray();
        // Flags, NBD_OPT_GO with an empty name and one request; read; write; disconnect.
        Assert.Equal("IHAVEOPT"u8.ToArray(), asked[4..12]);
        Assert.Equal(28 + 28 + 28 + 512 + 28, asked.Length);
        Assert.Equal(NbdWire.RequestMagic, BinaryPrimitives.ReadUInt32BigEndian(asked.AsSpan(28)));
        Assert.Equal(1UL << 20, BinaryPrimitives.ReadUInt64BigEndian(asked.AsSpan(28 + 16)));
        Assert.Equal(NbdWire.Disconnect, BinaryPrimitives.ReadUInt16BigEndian(asked.AsSpan(asked.Length - 22)));
    }

    [Fact]
    public void A_server_that_only_lets_read_is_no_target()
    {
        var script = Script();
        script[18 + 20 + 11] |= (byte)NbdWire.ReadOnly;
        Assert.Equal(DiskTrouble.ReadOnly, Assert.Throws<DiskException>(() => new NbdDevice(new ScriptedNbd(script), "x", 512, readOnly: false, null)).Trouble);
    }

    [Fact]
    public void Whatever_a_server_says_ends_in_an_answer_or_a_sentence()
    {
        // The fuzzer wants some room behind what it changes; nobody asks for these bytes.
        byte[] script = [.. Script(), .. new byte[80]];
        var summary = new Fuzzer(script, [(0, 60), (18, 60), (38, 60), (80, 40), (script.Length - 110, 30)]).Run(20_000, random =>
        {
            var said = random.Next(8) == 0 ? script[..random.Next(script.Length)] : script;
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using var disk = new NbdDevice(new ScriptedNbd(said), "fuzzed", 512, readOnly: false, null);
                Assert.InRange(disk.SizeBytes, 0, 1L << 60);
                var buffer = new byte[4096];
                if (disk.SizeBytes >= (1 << 20) + 4096)
                    disk.Read(1 << 20, buffer);
                return "read";
            }
            catch (DiskException)
            {
                return "refused";
            }
            finally
            {
                Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20, "memory for what was only claimed");
            }
        });
        output.WriteLine(summary);
        Assert.Contains("read", summary, StringComparison.Ordinal);
        Assert.Contains("refused", summary, StringComparison.Ordinal);
    }

    /// <summary>Greeting; export of 8 MiB that can flush and write zeros; block sizes; done; a block of 0xAB; "no space".</summary>
    private static byte[] Script()
    {
        using var said = new MemoryStream();
        using var writer = new BinaryWriter(said);
        writer.Write("NBDMAGICIHAVEOPT"u8);
        Big(writer, 3, 2);
        Reply(3, () => { Big(writer, 0, 2); Big(writer, 8 << 20, 8); Big(writer, 1 + 4 + 64, 2); }, 12);
        Reply(3, () => { Big(writer, 3, 2); Big(writer, 1, 4); Big(writer, 4096, 4); Big(writer, 32 << 20, 4); }, 14);
        Reply(1, () => { }, 0);
        Big(writer, NbdWire.SimpleReplyMagic, 4);
        Big(writer, 0, 4);
        Big(writer, 1, 8);
        writer.Write(Enumerable.Repeat((byte)0xAB, 4096).ToArray());
        Big(writer, NbdWire.SimpleReplyMagic, 4);
        Big(writer, 28, 4);
        Big(writer, 2, 8);
        return said.ToArray();

        void Reply(uint type, Action data, uint length)
        {
            Big(writer, (long)NbdWire.ReplyMagic, 8);
            Big(writer, NbdWire.OptionGo, 4);
            Big(writer, type, 4);
            Big(writer, length, 4);
            data();
        }
    }

    private static void Big(BinaryWriter writer, long value, int bytes)
    {
        for (var shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
            writer.Write((byte)(value >> shift));
    }
}
