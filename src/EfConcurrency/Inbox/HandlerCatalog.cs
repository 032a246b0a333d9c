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

    /// <summary>Whether the consumer has nothing to do with messages of this name. A name without a contract is not passed over: a newer version of the program may know it.</summary>
    public bool IsPassedOver(MessageConsumer consumer, string type)
        => Contracts().TryFind(type, out var contract) && consumer.Find(contract.MessageType) is null;

    /// <summary>Checks what was registered.</summary>
    /// <exception cref="InvalidOperationException">A handler's type of message has no contract, or the context is not one that handlers can use.</exception>
    public void Check()
    {
        var contracts = Contracts();
        foreach (var consumer in consumers.All)
        {
            if (consumer.MessageTypes.FirstOrDefault(t => !contracts.TryFind(t, out _)) is { } unnamed)
            {
                throw new InvalidOperationException(
                    $"Consumer '{consumer.Name}' handles {unnamed.Name}, which has no contract, so that no message could reach it. Name it on the options of {typeof(TContext).Name}: UseEfConcurrency(o => o.UseMessages(m => m.Add<{unnamed.Name}>(\"…\"))).");
            }
        }
    }

    private MessageContracts Contracts() => _contracts ??= Read();

    private MessageContracts Read()
    {
        using var scope = scopes.CreateScope();
        var context = scope.ServiceProvider.GetRequiredService<TContext>();
        _ = ContextInbox.Of(context);
        _ = InboxTable.Of(context);
        return context.GetService<MessageContracts>();
    }
}
