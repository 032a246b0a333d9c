namespace EfConcurrency.Outbox;

/// <summary>What must hold for the transports of a dispatcher.</summary>
internal static class OutboxTransports
{
    private const int MaxNameLength = 100;

    /// <exception cref="InvalidOperationException">There is none, two have one name, a name is too long, or a filter is for none of them.</exception>
    public static void Check(IReadOnlyCollection<IOutboxTransport> transports, OutboxDispatcherOptions options)
    {
        if (transports.Count == 0)
        {
            throw new InvalidOperationException($"AddOutboxDispatcher() needs a transport. Register one, for example services.AddSingleton<{nameof(IOutboxTransport)}, …>().");
        }

        if (transports.FirstOrDefault(t => string.IsNullOrWhiteSpace(t.Sink) || t.Sink.Length > MaxNameLength) is { } misnamed)
        {
            throw new InvalidOperationException($"{misnamed.GetType().Name}.{nameof(IOutboxTransport.Sink)} is '{misnamed.Sink}'; it must have 1 to {MaxNameLength} characters.");
        }

        if (transports.GroupBy(t => t.Sink, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new InvalidOperationException($"Two transports are named '{twice.Key}'. Give each a {nameof(IOutboxTransport.Sink)} of its own: progress is kept under it.");
        }

        if (options.Filters.Keys.FirstOrDefault(f => transports.All(t => t.Sink != f)) is { } unknown)
        {
            throw new InvalidOperationException($"FilterTopics(\"{unknown}\", …) is for a transport that is not registered. Registered: {string.Join(", ", transports.Select(t => t.Sink))}.");
        }
    }
}
