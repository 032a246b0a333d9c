using System.Reflection;
using EfConcurrency.Messaging;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.Inbox;

/// <summary>A handler as it was registered.</summary>
internal sealed record MessageHandlerEntry(
    Type MessageType, MethodInfo Method, Func<IServiceProvider, object, MessageContext, CancellationToken, Task> HandleAsync)
{
    public static MessageHandlerEntry Of<TMessage, THandler>()
        where TMessage : notnull
        where THandler : class, IMessageHandler<TMessage>
        => new(
            typeof(TMessage),
            typeof(THandler).GetInterfaceMap(typeof(IMessageHandler<TMessage>)).TargetMethods[0],
            static (services, message, context, token) => services.GetRequiredService<THandler>().HandleAsync((TMessage)message, context, token));
}
