using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Inbox;

/// <summary>All consumers whose handlers run on a context of type <typeparamref name="TContext"/>.</summary>
internal sealed class MessageConsumers<TContext>
    where TContext : DbContext
{
    private readonly ConcurrentDictionary<string, MessageConsumer> _byName = new(StringComparer.Ordinal);

    public IEnumerable<MessageConsumer> All => _byName.Values;

    public MessageConsumer? Find(string name) => _byName.GetValueOrDefault(name);

    /// <exception cref="ArgumentException">The name is taken.</exception>
    public MessageConsumer Add(string name, MessageConsumerOptions options)
    {
        var consumer = new MessageConsumer(name, options);
        return _byName.TryAdd(name, consumer) ? consumer
            : throw new ArgumentException($"Consumer '{name}' of {typeof(TContext).Name} is registered already. Add all its handlers in one place.", nameof(name));
    }
}
