using System.Security.Cryptography;
using System.Text.Json;
using ImageForge.Contracts;

namespace ImageForge.Server.Jobs;

/// <param name="Hosts">Any MAC of each host, in any form.</param>
/// <param name="Image">The image to make or deploy.</param>
/// <param name="Version">Deploy only; null: the image's current one at this moment.</param>
/// <param name="Disk">Serial or WWN of the disk; null: the only internal one.</param>
/// <param name="ChunkSize">Capture only, bytes, a power of two from 64 KiB to 16 MiB; null: the agent chooses by what is on the disk.</param>
/// <param name="Level">Capture only, zstd 1 to 19; null: the agent adapts it to processor and network.</param>
/// <param name="ReadBack">Deploy only: read everything back and compare. Default true.</param>
/// <param name="Capture">Capture only; null: the defaults of <see cref="CaptureChoices"/>.</param>
/// <param name="Deploy">Deploy only; null: the defaults of <see cref="DeployChoices"/>.</param>
/// <param name="DryRun">Deploy only: the machine boots, shows what it would do and writes nothing.</param>
/// <param name="Multicast">Deploy only: one stream for all hosts; null: each fetches by itself.</param>
internal sealed record CreateJobRequest(
    JobKind Kind,
    IReadOnlyList<string> Hosts,
    string? Image = null,
    int? Version = null,
    string? Disk = null,
    AfterTask After = AfterTask.Reboot,
    int? ChunkSize = null,
    int? Level = null,
    bool? ReadBack = null,
    CaptureChoices? Capture = null,
    DeployChoices? Deploy = null,
    bool DryRun = false,
    MulticastChoice? Multicast = null)
{
    /// <summary>Tells whether a repeated Idempotency-Key comes with the same request.</summary>
    public byte[] Hash() => SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(this));
}

internal enum RefusalKind { Invalid, NotFound, Conflict }

/// <summary>Why a job was not made.</summary>
internal sealed record Refusal(RefusalKind Kind, string Code, string Sentence, string Cure);

/// <summary>Either a job or a refusal.</summary>
/// <param name="Repeated">The same Idempotency-Key was answered before; this is that job.</param>
internal sealed record OrderOutcome(Job? Job, bool Repeated, Refusal? Refusal)
{
    public static OrderOutcome Refused(RefusalKind kind, string code, string sentence, string cure) =>
        new(null, false, new Refusal(kind, code, sentence, cure));
}
