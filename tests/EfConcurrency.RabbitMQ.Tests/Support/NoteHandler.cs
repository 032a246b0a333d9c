using EfConcurrency.Messaging;

namespace EfConcurrency.RabbitMQ.Tests.Support;

internal sealed class NoteHandler(NotesContext db, Script script) : IMessageHandler<NoteAdded>
{
    public async Task HandleAsync(NoteAdded message, MessageContext context, CancellationToken cancellationToken)
    {
        await script.PlayAsync(message.Text, context.Attempt, cancellationToken);
        db.Add(new Note { Key = context.Key, Text = message.Text });
    }
}
