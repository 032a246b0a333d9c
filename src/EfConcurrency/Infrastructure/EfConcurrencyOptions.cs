using System.Collections.Immutable;
using EfConcurrency.WriteEnvelope;

namespace EfConcurrency.Infrastructure;

/// <summary>What was set in <c>UseEfConcurrency</c>. Contexts that differ in one of these get their own internal service provider.</summary>
internal sealed record EfConcurrencyOptions
{
    public ServerJudgedSaves ServerJudged { get; init; } = ServerJudgedSaves.WhenAvailable;

    public string Schema { get; init; } = "efc";

    public ImmutableArray<string> VersionPropertyNames { get; init; } = [];

    public bool Equals(EfConcurrencyOptions? other)
        => other is not null
            && ServerJudged == other.ServerJudged
            && Schema == other.Schema
            && VersionPropertyNames.SequenceEqual(other.VersionPropertyNames);

    public override int GetHashCode() => HashCode.Combine(ServerJudged, Schema, VersionPropertyNames.Length);
}
