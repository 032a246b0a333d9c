using System.Collections.Concurrent;
using EfConcurrency.Messaging;

namespace EfConcurrency.Outbox;

/// <summary>The factories of all contexts that share EF's internal services. Contexts are configured anew for each scope, so equal contracts are found by what is in them.</summary>
internal sealed class OutboxMessageFactories(TimeProvider time)
{
    private readonly ConcurrentDictionary<(MessageContracts, OutboxSettings), OutboxMessageFactory> _factories = new();

    public OutboxMessageFactory Of(MessageContracts contracts, OutboxSettings settings)
        => _factories.GetOrAdd((contracts, settings), static (key, time) => new(key.Item1, key.Item2, time), time);
}
