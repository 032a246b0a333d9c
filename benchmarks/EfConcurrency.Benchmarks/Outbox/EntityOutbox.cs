using System.Text.Json;

namespace EfConcurrency.Benchmarks.Outbox;

/// <summary>Messages as entities: <c>AddRange</c> and save.</summary>
internal sealed class EntityOutbox(int messages, bool explicitTransaction)
{
    /// <summary>As long as those of the library.</summary>
    public static string Headers(Guid id)
        => $$"""{"content-type":"application/json","ce-specversion":"1.0","ce-source":"/bench","ce-type":"row.raised.v1","ce-id":"{{id}}","ce-subject":"row-1"}""";

    public async Task SaveAsync(OutboxContext db, OutboxRow row)
    {
        db.AddRange(Enumerable.Range(0, messages).Select(_ => Message(row)));
        await using var transaction = explicitTransaction ? await db.Database.BeginTransactionAsync() : null;
        await db.SaveChangesAsync();
        if (transaction is not null)
        {
            await transaction.CommitAsync();
        }
    }

    private static MessageEntity Message(OutboxRow row)
    {
        var id = Guid.CreateVersion7();
        return new()
        {
            Lane = 1,
            MessageId = id,
            Key = "row-1",
            Topic = "row.raised",
            Type = "row.raised.v1",
            Headers = Headers(id),
            Payload = JsonSerializer.SerializeToUtf8Bytes(OutboxContext.Event(row.Id, row.Value), JsonSerializerOptions.Web),
        };
    }
}
