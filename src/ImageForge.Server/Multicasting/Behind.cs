using System.Globalization;
using ImageForge.Multicast;

namespace ImageForge.Server.Multicasting;

/// <summary>Why a machine does not keep up with the stream, as a sentence with what helps.</summary>
internal static class Behind
{
    /// <summary>Null: it keeps up.</summary>
    public static string? Of(MemberFigures figures) => figures.InStep && figures.Limit == MemberLimit.None ? null : Sentence(figures);

    public static string Sentence(MemberFigures figures) => figures.Limit switch
    {
        MemberLimit.Disk => string.Create(CultureInfo.InvariantCulture,
            $"its disk writes more slowly than the stream comes, {figures.WaitingBytes / 1e6:0} MB wait for it.{Then(figures)} Check the disk's health and its cable if others of the same model are faster."),
        MemberLimit.Processor => $"its processor unpacks and checks more slowly than the stream comes.{Then(figures)} An image captured at a lower zstd level unpacks no faster; give the machine time.",
        MemberLimit.Network => string.Create(CultureInfo.InvariantCulture,
            $"it loses {100 * figures.Loss:0.#} % of the packets on the network{(figures.SocketDrops > 0 ? $" and dropped {figures.SocketDrops} itself" : "")}.{Then(figures)} Check its cable and whether its port runs at full speed and full duplex; a smaller batch in the multicast settings helps switches with small buffers."),
        _ => string.Create(CultureInfo.InvariantCulture, $"it reports too late or loses {100 * figures.Loss:0.#} % of the packets.{Then(figures)} Check its cable and port if that stays so."),
    };

    private static string Then(MemberFigures figures) => figures.InStep ? "" : " Nobody waits for it: it takes what it can and gets the rest in a later pass or over HTTP.";
}
