using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;

namespace ImageForge.Imaging.Tests.Fuzzing;

/// <summary>
/// Changes a real image in its metadata, tries it, changes it back. The seed is printed; <c>IMAGEFORGE_FUZZ_SEED</c> repeats a run and
/// <c>IMAGEFORGE_FUZZ_FACTOR</c> makes it longer.
/// </summary>
internal sealed class Fuzzer(byte[] image, (int Start, int Length)[] hot)
{
    private static readonly ulong[] s_interesting =
        [0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0x1FF, 0x200, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000,
            0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFF000];

    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(5);

    private readonly List<(int At, byte Was)> _changed = [];

    public static int Factor => int.Parse(Environment.GetEnvironmentVariable("IMAGEFORGE_FUZZ_FACTOR") ?? "1", CultureInfo.InvariantCulture);

    /// <param name="attempt">Reads the changed image; gets the case's own randomness; returns a word for the statistics.</param>
    /// <param name="repair">Makes checksums right again, so that a change gets past them; called in two of three cases.</param>
    public string Run(int cases, Func<Random, string> attempt, Action<Fuzzer>? repair = null)
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("IMAGEFORGE_FUZZ_SEED") ?? Random.Shared.Next().ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var outcomes = new SortedDictionary<string, int>();
        var slowest = TimeSpan.Zero;
        for (var i = 0; i < cases * Factor; i++)
        {
            // A seed per case: a failure is repeated alone.
            var random = new Random(unchecked(seed + i));
            var what = Mutate(random);
            if (repair is not null && random.Next(3) > 0)
                repair(this);
            var started = Stopwatch.GetTimestamp();
            try
            {
                var outcome = attempt(random);
                outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"case {i} of seed {seed} (IMAGEFORGE_FUZZ_SEED={unchecked(seed + i)}), {what}: {error.GetType().Name}: {error.Message}", error);
            }
            var took = Stopwatch.GetElapsedTime(started);
            Assert.True(took < s_bound, $"case {i} of seed {seed} (IMAGEFORGE_FUZZ_SEED={unchecked(seed + i)}), {what}: took {took}");
            slowest = took > slowest ? took : slowest;
            Restore();
        }
        return string.Create(CultureInfo.InvariantCulture, $"seed {seed}, {cases * Factor} cases, slowest {slowest.TotalMilliseconds:F1} ms: {string.Join(", ", outcomes.Select(pair => $"{pair.Key} {pair.Value}"))}");
    }

    /// <summary>Changes bytes so that <see cref="Restore"/> brings them back.</summary>
    public void Write(int at, ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            _changed.Add((at + i, image[at + i]));
            image[at + i] = bytes[i];
        }
    }

    public void Restore()
    {
        for (var i = _changed.Count - 1; i >= 0; i--)
            image[_changed[i].At] = _changed[i].Was;
        _changed.Clear();
    }

    private string Mutate(Random random)
    {
        var steps = random.Next(4) == 0 ? random.Next(2, 12) : 1;
        var text = "";
        Span<byte> value = stackalloc byte[8];
        for (var i = 0; i < steps; i++)
        {
            var (start, length) = hot[random.Next(hot.Length)];
            var at = start + random.Next(length - 8);
            value.Clear();
            var width = 1 << random.Next(4);
            switch (random.Next(6))
            {
                case 0:
                    value[0] = (byte)(image[at] ^ 1 << random.Next(8));
                    width = 1;
                    break;
                case 1:
                    random.NextBytes(value);
                    break;
                case 2:
                    // Off by a little: sizes and counts that nearly fit.
                    BinaryPrimitives.WriteUInt64LittleEndian(value, BinaryPrimitives.ReadUInt64LittleEndian(image.AsSpan(at)) + (ulong)random.Next(-3, 4));
                    break;
                case 3:
                    var from = hot[random.Next(hot.Length)];
                    var copy = image.AsSpan(from.Start + random.Next(from.Length - 8), Math.Min(random.Next(8, 65), image.Length - at)).ToArray();
                    Write(at, copy.AsSpan(0, Math.Min(copy.Length, start + length - at)));
                    text += $" copy at {at}";
                    continue;
                case 4:
                    var zeros = new byte[Math.Min(random.Next(1, 513), start + length - at)];
                    zeros.AsSpan().Fill((byte)(random.Next(2) * 0xFF));
                    Write(at, zeros);
                    text += $" fill at {at}";
                    continue;
                default:
                    BinaryPrimitives.WriteUInt64LittleEndian(value, s_interesting[random.Next(s_interesting.Length)]);
                    // Numbers stand aligned more often than not.
                    at -= at % width;
                    break;
            }
            Write(at, value[..width]);
            text += $" {Convert.ToHexString(value[..width])} at {at}";
        }
        return text.Trim();
    }
}
