using System.Collections.Immutable;
using EfConcurrency.Messaging;
using EfConcurrency.Outbox;
using EfConcurrency.WriteEnvelope;

namespace EfConcurrency.Infrastructure;

/// <summary>What was set in <c>UseEfConcurrency</c>. Two are equal when the contexts can share EF's internal services: messages are looked up per context.</summary>
internal sealed record EfConcurrencyOptions
{
    public ServerJudgedSaves ServerJudged { get; init; } = ServerJudgedSaves.WhenAvailable;

    /// <summary>Measured where a round trip is as cheap as it gets (loopback); see the decision record on server-judged saves.</summary>
    public int MaxJudgedStatements { get; init; } = 8;

    public string Schema { get; init; } = "efc";

    public ImmutableArray<string> VersionPropertyNames { get; init; } = [];

    public MessageContracts Messages { get; init; } = MessageContracts.None;

    public OutboxSettings Outbox { get; init; } = OutboxSettings.Default;

    public bool Equals(EfConcurrencyOptions? other)
        => other is not null
            && ServerJudged == other.ServerJudged
            && MaxJudgedStatements == other.MaxJudgedStatements
            && Schema == other.Schema
            && VersionPropertyNames.SequenceEqual(other.VersionPropertyNames);

    public override int GetHashCode() => HashCode.Combine(ServerJudged, MaxJudgedStatements, Schema, VersionPropertyNames.Length);
}
