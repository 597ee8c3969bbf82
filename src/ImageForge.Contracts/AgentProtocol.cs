namespace ImageForge.Contracts;

// What the agent and the server say to each other under /agent/v1 (HTTPS, server key pinned).
//
//   POST check-in                 CheckInRequest  → CheckInResponse          boot token in the body
//   everything below              Authorization: Bearer <task token>
//   POST task/progress            ProgressReport  → ProgressReply            also the heartbeat, once a second
//   POST task/plan                DeployPlan      → PlanReply                before the first write
//   POST task/result              TaskResult      → 204                      Succeeded or Failed
//   POST capture/chunks/missing   n × 32 id bytes → bitmap, bit i = 1: send it (LSB first); a lease on every id asked
//   PUT  capture/chunks/{id}      one zstd frame, X-Plain-Length header → 204 (stored) or 200 (already held)
//   POST capture/manifest         manifest bytes  → SealReply
//   GET  deploy/manifest          → manifest bytes, X-Manifest-Signature header
//   GET  deploy/chunks/{id}       → one zstd frame
//   GET  deploy/multicast         WebSocket, binary messages                 ImageForge.Multicast/README.md; only with an offer
//   POST deploy/chunks/missing    n × 32 id bytes → bitmap, bit i = 1: this deploy cannot get it (LSB first)
//   POST task/log                 text/plain, at most 64 KiB → 204

/// <param name="Nonce">32 random bytes, base64url. The same token and nonce within 60 s get the same answer.</param>
/// <param name="Mac">MAC of the boot NIC.</param>
/// <param name="FoundResumeRecord">The resume record found on a disk, if any, as an aid for people reading the log.</param>
public sealed record CheckInRequest(string BootToken, string Nonce, string Mac, Inventory Inventory, string AgentVersion, string? FoundResumeRecord = null);

/// <param name="TaskToken">Bearer token for the rest of the task.</param>
/// <param name="Resumed">True when an earlier agent already worked on this task.</param>
public sealed record CheckInResponse(string TaskToken, TaskAssignment Task, bool Resumed);

/// <summary>The one task this boot is for; exactly the part that belongs to <see cref="Kind"/> is set.</summary>
public sealed record TaskAssignment(
    long TaskId,
    JobKind Kind,
    string HostName,
    AfterTask After,
    CaptureAssignment? Capture,
    DeployAssignment? Deploy);

/// <param name="ChunkSize">Plain bytes per chunk, a power of two from 64 KiB to 16 MiB; 0: the agent chooses by what is on the disk.</param>
/// <param name="Level">zstd level, 1 to 19; 0: the agent adapts it to processor and network while it works.</param>
/// <param name="Disk">Serial or WWN of the disk to capture; null: the only internal disk.</param>
public sealed record CaptureAssignment(string ImageName, int ChunkSize, int Level, string? Disk, CaptureChoices? Choices = null);

/// <param name="ManifestHash">Lower-case hex SHA-256 of the manifest; the agent refuses any other manifest.</param>
/// <param name="Disk">Serial or WWN of the target; null: the only disk that is neither removable nor the boot medium.</param>
/// <param name="DryRun">Show the plan and end; nothing is written.</param>
/// <param name="Multicast">Null: over HTTP only.</param>
public sealed record DeployAssignment(
    string ImageName, int VersionNumber, string ManifestHash, string? Disk, bool ReadBack = true, DeployChoices? Choices = null, bool DryRun = false,
    MulticastOffer? Multicast = null);

/// <summary>Sign of life and progress. <see cref="BytesDone"/> and <see cref="BytesTotal"/> are bytes of used content of the current phase.</summary>
/// <param name="BytesSent">Bytes on the wire since the task began on this boot, after compression.</param>
public sealed record ProgressReport(HostTaskState State, long BytesDone, long BytesTotal, long BytesSent, double BytesPerSecond, string? Detail);

/// <param name="Cancelled">True: stop at once and reboot.</param>
public sealed record ProgressReply(bool Cancelled);

/// <param name="Go">False: the server refuses (cancelled, wrong machine); the agent stops and reboots.</param>
public sealed record PlanReply(bool Go, string? Reason);

/// <summary>How the task ended, sent once; repeated until the server has answered.</summary>
/// <param name="Proof">What a successful capture or deploy stands for; null for anything else.</param>
/// <param name="Notes">Remarks for people: what became of the boot entries, what the firmware refused …</param>
public sealed record TaskResult(
    HostTaskState State, Failure? Failure, string Summary, long BytesRead, long BytesSent, long BytesReceived, long BytesWritten,
    TaskProof? Proof = null, IReadOnlyList<string>? Notes = null);

/// <summary>What the agent vouches for: these volumes of this manifest, chunk by chunk.</summary>
/// <param name="ManifestHash">Lower-case hex SHA-256 of the manifest file.</param>
/// <param name="Chunks">Chunks with used content, data and zero.</param>
/// <param name="Bytes">Bytes of used content in them.</param>
/// <param name="BytesReadFromDisk">
/// Of these, bytes whose present state on the disk was read and compared: written ones in the read-back, the others before they were
/// kept. Equal to <paramref name="Bytes"/> unless the job skips the read-back. A capture has read everything.
/// </param>
public sealed record TaskProof(string ManifestHash, int Volumes, long Chunks, long Bytes, long BytesReadFromDisk);

public sealed record SealReply(string ImageName, int VersionNumber, string ManifestHash);

/// <summary>RFC 9457 problem with our two members: the side to blame and the cure.</summary>
public sealed record Problem(string? Type, string? Title, int? Status, string? Detail, Fault? Fault, string? Hint, string? Code = null);
