using System.Text.Json.Serialization;
using ImageForge.Contracts;

namespace ImageForge.Server.Shrinking;

[JsonConverter(typeof(CamelCaseEnumConverter<ShrinkState>))]
internal enum ShrinkState { Running, Succeeded, Failed, Cancelled }

/// <summary>One order to make a smaller version of an image version; kept in memory, a restart forgets it and leaves nothing behind.</summary>
/// <param name="DiskBytes">Size of the disk it must fit.</param>
/// <param name="Doing">For people; empty once it has ended.</param>
/// <param name="Result">Number of the version that was made.</param>
internal sealed record ShrinkRun(
    string Image, int Version, long DiskBytes, ShrinkState State, string Doing, int? Result, Failure? Failure, string OrderedBy, DateTimeOffset StartedAt, DateTimeOffset? EndedAt);

/// <param name="DiskBytes">Size of the disk the smaller version must fit.</param>
internal sealed record ShrinkRequest(long DiskBytes);
