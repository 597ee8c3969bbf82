using System.Buffers.Binary;
using System.Collections;
using System.Net;
using System.Text;

namespace ImageForge.NetBoot.Dhcp;

/// <summary>
/// The options of one packet in the order they came. A code that occurs more than once is one option
/// cut into pieces, which are joined (RFC 3396 §7).
/// </summary>
public sealed class DhcpOptions : IEnumerable<KeyValuePair<DhcpOptionCode, byte[]>>
{
    private readonly List<KeyValuePair<DhcpOptionCode, byte[]>> _options = [];

    public int Count => _options.Count;

    /// <summary>The bytes of an option, or null when it is absent. An option may be present and empty.</summary>
    public byte[]? Find(DhcpOptionCode code)
    {
        var index = IndexOf(code);
        return index < 0 ? null : _options[index].Value;
    }

    public bool Has(DhcpOptionCode code) => IndexOf(code) >= 0;

    public void Set(DhcpOptionCode code, byte[] value)
    {
        var index = IndexOf(code);
        if (index < 0)
            _options.Add(new(code, value));
        else
            _options[index] = new(code, value);
    }

    public void Set(DhcpOptionCode code, IPAddress address) => Set(code, address.GetAddressBytes());

    public void Set(DhcpOptionCode code, string text) => Set(code, Encoding.UTF8.GetBytes(text));

    /// <summary>Whole seconds as 32 bits; infinite and longer than fits is 0xffffffff (RFC 2131 §3.3).</summary>
    public void Set(DhcpOptionCode code, TimeSpan duration)
    {
        var seconds = duration < TimeSpan.Zero ? uint.MaxValue : (uint)Math.Min(duration.TotalSeconds, uint.MaxValue);
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, seconds);
        Set(code, bytes);
    }

    /// <summary>Null when absent or not four bytes.</summary>
    public IPAddress? Address(DhcpOptionCode code) => Find(code) is { Length: 4 } bytes ? new IPAddress(bytes) : null;

    /// <summary>Null when absent. Trailing NULs, which some ROMs send, are cut off.</summary>
    public string? Text(DhcpOptionCode code) => Find(code) is { } bytes ? Encoding.ASCII.GetString(bytes).TrimEnd('\0') : null;

    internal void Append(DhcpOptionCode code, ReadOnlySpan<byte> piece)
    {
        var index = IndexOf(code);
        if (index < 0)
            _options.Add(new(code, piece.ToArray()));
        else
            _options[index] = new(code, [.. _options[index].Value, .. piece]);
    }

    internal DhcpOptions Without(params ReadOnlySpan<DhcpOptionCode> codes)
    {
        foreach (var code in codes)
        {
            if (IndexOf(code) is var index and >= 0)
                _options.RemoveAt(index);
        }
        return this;
    }

    private int IndexOf(DhcpOptionCode code) => _options.FindIndex(o => o.Key == code);

    public IEnumerator<KeyValuePair<DhcpOptionCode, byte[]>> GetEnumerator() => _options.GetEnumerator();
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
