using System.Buffers.Binary;
using System.Numerics;

namespace ImageForge.Imaging.Imports.Partclone;

/// <summary>XXH64 with seed 0 over a stream ("xxHash fast digest algorithm" 0.1.1, XXH64 Algorithm Description), as partclone 0.3.30 and later may use.</summary>
internal sealed class Xxh64
{
    private const ulong P1 = 0x9E3779B185EBCA87, P2 = 0xC2B2AE3D27D4EB4F, P3 = 0x165667B19E3779F9, P4 = 0x85EBCA77C2B2AE63, P5 = 0x27D4EB2F165667C5;

    private readonly byte[] _rest = new byte[32];
    private int _restLength;
    private ulong _total, _a, _b, _c, _d;

    public Xxh64() => Reset();

    public void Reset()
    {
        (_a, _b, _c, _d) = (unchecked(P1 + P2), P2, 0, unchecked(0 - P1));
        (_restLength, _total) = (0, 0);
    }

    public void Update(ReadOnlySpan<byte> data)
    {
        _total += (ulong)data.Length;
        if (_restLength > 0)
        {
            var count = Math.Min(32 - _restLength, data.Length);
            data[..count].CopyTo(_rest.AsSpan(_restLength));
            _restLength += count;
            data = data[count..];
            if (_restLength < 32)
                return;
            Stripe(_rest);
            _restLength = 0;
        }
        for (; data.Length >= 32; data = data[32..])
            Stripe(data);
        data.CopyTo(_rest);
        _restLength = data.Length;
    }

    /// <summary>Of everything since the last <see cref="Reset"/>; more may follow.</summary>
    public ulong Digest()
    {
        unchecked
        {
            ulong hash;
            if (_total >= 32)
            {
                hash = BitOperations.RotateLeft(_a, 1) + BitOperations.RotateLeft(_b, 7) + BitOperations.RotateLeft(_c, 12) + BitOperations.RotateLeft(_d, 18);
                foreach (var lane in (ReadOnlySpan<ulong>)[_a, _b, _c, _d])
                    hash = ((hash ^ Round(0, lane)) * P1) + P4;
            }
            else
            {
                hash = P5;
            }
            hash += _total;
            ReadOnlySpan<byte> rest = _rest.AsSpan(0, _restLength);
            for (; rest.Length >= 8; rest = rest[8..])
                hash = (BitOperations.RotateLeft(hash ^ Round(0, BinaryPrimitives.ReadUInt64LittleEndian(rest)), 27) * P1) + P4;
            if (rest.Length >= 4)
            {
                hash = (BitOperations.RotateLeft(hash ^ (BinaryPrimitives.ReadUInt32LittleEndian(rest) * P1), 23) * P2) + P3;
                rest = rest[4..];
            }
            foreach (var b in rest)
                hash = BitOperations.RotateLeft(hash ^ (b * P5), 11) * P1;
            hash = (hash ^ hash >> 33) * P2;
            hash = (hash ^ hash >> 29) * P3;
            return hash ^ hash >> 32;
        }
    }

    private void Stripe(ReadOnlySpan<byte> data)
    {
        _a = Round(_a, BinaryPrimitives.ReadUInt64LittleEndian(data));
        _b = Round(_b, BinaryPrimitives.ReadUInt64LittleEndian(data[8..]));
        _c = Round(_c, BinaryPrimitives.ReadUInt64LittleEndian(data[16..]));
        _d = Round(_d, BinaryPrimitives.ReadUInt64LittleEndian(data[24..]));
    }

    private static ulong Round(ulong lane, ulong input) => unchecked(BitOperations.RotateLeft(lane + (input * P2), 31) * P1);
}
