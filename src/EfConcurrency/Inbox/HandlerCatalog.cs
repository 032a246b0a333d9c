using EfConcurrency.Messaging;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.Inbox;

/// <summary>Finds the handler of a message. The names of messages stand in the context's options, so the first look needs a context.</summary>
internal sealed class HandlerCatalog<TContext>(IServiceScopeFactory scopes, MessageConsumers<TContext> consumers)
    where TContext : DbContext
{
    private volatile MessageContracts? _contracts;

    /// <exception cref="MessageHandlerNotFoundException">There is no such consumer.</exception>
    public MessageConsumer Consumer(string name) => consumers.Find(name) ?? throw MessageHandlerNotFoundException.NoConsumer(name, typeof(TContext).Name);

    /// <exception cref="MessageHandlerNotFoundException">No contract has this name, or the consumer no handler for it.</exception>
    public (MessageContract Contract, MessageHandlerEntry Handler) Find(MessageConsumer consumer, string type)
    {
        if (!Contracts().TryFind(type, out var contract))
        {
            throw MessageHandlerNotFoundException.NoContract(consumer.Name, type, typeof(TContext).Name);
        }

        return (contract, consumer.Find(contract.MessageType) ?? throw MessageHandlerNotFoundException.NoHandler(consumer.Name, type));
    }

    public MessageContracts Contracts() => _contracts ??= Read();

    private MessageContracts Read()
    {
        using var scope = scopes.CreateScope();
        var context = scope.ServiceProvider.GetRequiredService<TContext>();
        return ((IInfrastructure<IServiceProvider>)context).Instance.GetService(typeof(MessageContracts)) as MessageContracts
            ?? throw new InvalidOperationException($"'{typeof(TContext).Name}' has no UseEfConcurrency(), which handlers need. Call it on the context's options, beside UseNpgsql().");
    }
}
