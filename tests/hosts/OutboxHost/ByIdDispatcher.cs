using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace OutboxHost;

/// <summary>Planted fault: asks for rows above the last id. A transaction that got a lower id and commits later is never seen.</summary>
internal sealed class ByIdDispatcher(string connectionString, IServiceScopeFactory scopes) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        var last = 0L;
        while (!stoppingToken.IsCancellationRequested)
        {
            await using var command = source.CreateCommand("select id, message_id::text, key, payload from efc.outbox where id > $1 order by id limit 200");
            command.Parameters.Add(new() { Value = last });
            await using var reader = await command.ExecuteReaderAsync(stoppingToken);
            while (await reader.ReadAsync(stoppingToken))
            {
                await InboxlessTransport.HandleAsync(scopes, reader.GetString(1), reader.GetString(2), reader.GetFieldValue<byte[]>(3), stoppingToken);
                last = reader.GetInt64(0);
            }
        }
    }
}
