using System.Globalization;

namespace ImageForge.Multicast.Tests.Fuzzing;

/// <summary>Tries bytes that are nearly right. <c>IMAGEFORGE_FUZZ_SEED</c> repeats a run, <c>IMAGEFORGE_FUZZ_FACTOR</c> makes it longer.</summary>
internal static class FuzzBytes
{
    private static readonly byte[] s_interesting = [0, 1, 2, 3, 16, 63, 64, 65, 0x7F, 0x80, 0xFE, 0xFF];

    public static void Run(byte[] good, int cases, Action<byte[]> attempt)
    {
        var seed = Number("IMAGEFORGE_FUZZ_SEED", Random.Shared.Next(1 << 30));
        for (var i = 0; i < cases * Number("IMAGEFORGE_FUZZ_FACTOR", 1); i++)
        {
            var random = new Random(unchecked(seed + i));
            var bytes = random.Next(8) == 0 ? good[..random.Next(good.Length)] : [.. good];
            for (var changes = random.Next(6); changes > 0 && bytes.Length > 0; changes--)
                bytes[random.Next(bytes.Length)] = random.Next(2) == 0 ? s_interesting[random.Next(s_interesting.Length)] : (byte)random.Next(256);
            try
            {
                attempt(bytes);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"IMAGEFORGE_FUZZ_SEED={unchecked(seed + i)}: {Convert.ToHexString(bytes)}", e);
            }
        }
    }

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
