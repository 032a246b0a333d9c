using System.Data.Common;

namespace EfConcurrency.Outbox;

/// <summary>Reads the one row of the lag.</summary>
internal static class OutboxLagReader
{
    public static async Task<OutboxLag> ReadAsync(string sink, DbCommand command, CancellationToken cancellationToken)
    {
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            return Read(sink, reader);
        }
    }

    public static OutboxLag Read(string sink, DbDataReader reader)
        => new(
            sink,
            reader.GetInt64(0),
            reader.GetInt64(1),
            reader.GetInt64(2),
            reader.GetInt64(3),
            reader.IsDBNull(4) ? null : TimeSpan.FromSeconds(Math.Max(0, reader.GetDouble(4))));
}
