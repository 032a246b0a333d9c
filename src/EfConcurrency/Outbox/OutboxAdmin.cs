using System.Data;
using System.Data.Common;
using System.Globalization;
using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfConcurrency.Outbox;

/// <summary>What operators do, on the connection of a context.</summary>
internal sealed class OutboxAdmin(DbContext context) : IOutboxAdmin
{
    private readonly OutboxAdminSql _sql = new(OutboxTable.Of(context));

    /// <summary>Delivery begins anew; how many messages those are.</summary>
    public static Task<int> ReplayAsync(IQueryable<OutboxPending> messages, CancellationToken cancellationToken)
        => messages.ExecuteUpdateAsync(
            s => s.SetProperty(p => p.State, OutboxPendingState.Retry).SetProperty(p => p.Attempts, 0).SetProperty(p => p.DueAt, p => p.CreatedAt), cancellationToken);

    public async Task<IReadOnlyList<OutboxSinkState>> ListSinksAsync(CancellationToken cancellationToken = default)
    {
        var cursors = await context.Set<OutboxCursor>().AsNoTracking().OrderBy(c => c.Sink).ThenBy(c => c.Lane).ToListAsync(cancellationToken).ConfigureAwait(false);
        var owners = await context.Set<OutboxOwner>().AsNoTracking().OrderBy(o => o.StartedAt).ToListAsync(cancellationToken).ConfigureAwait(false);
        var bySink = owners.ToLookup(o => o.Sink, StringComparer.Ordinal);
        return [.. cursors.GroupBy(c => c.Sink, StringComparer.Ordinal).Select(g => new OutboxSinkState(g.Key, [.. g], [.. bySink[g.Key]]))];
    }

    public async Task<OutboxLag> GetLagAsync(string sink, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(sink);
        return (await RunAsync(_sql.Lag, async command => await OutboxLagReader.ReadAsync(sink, command, cancellationToken).ConfigureAwait(false), cancellationToken, sink).ConfigureAwait(false))!;
    }

    public async Task<IReadOnlyList<OutboxPending>> ListDeadLettersAsync(string sink, int count = 100, long afterId = 0, CancellationToken cancellationToken = default)
        => await Dead(sink).AsNoTracking().Where(p => p.Id > afterId).OrderBy(p => p.Id).Take(count).ToListAsync(cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyList<OutboxPending>> ListWaitingAsync(string sink, int count = 100, long afterId = 0, CancellationToken cancellationToken = default)
        => await Of(sink).AsNoTracking().Where(p => p.State != OutboxPendingState.Dead && p.Id > afterId).OrderBy(p => p.Id).Take(count).ToListAsync(cancellationToken).ConfigureAwait(false);

    public async Task<OutboxMessageInfo?> FindAsync(Guid messageId, CancellationToken cancellationToken = default)
    {
        if (await context.Set<OutboxRecord>().Where(r => r.MessageId == messageId).OrderBy(r => r.Id).FirstOrDefaultAsync(cancellationToken).ConfigureAwait(false) is { } m)
        {
            var sinks = await DeliveriesAsync(m.Id, m.Lane, m.TransactionId, cancellationToken).ConfigureAwait(false);
            return new(m.MessageId, m.Id, m.Lane, m.Key, m.Topic, m.Type, m.Headers, m.Payload, m.CreatedAt, m.DueAt, m.Slot, sinks);
        }

        if (await context.Set<OutboxPending>().AsNoTracking().Where(p => p.MessageId == messageId).OrderBy(p => p.Id).FirstOrDefaultAsync(cancellationToken).ConfigureAwait(false) is { } p)
        {
            var sinks = await DeliveriesAsync(p.Id, p.Lane, transactionId: 0, cancellationToken).ConfigureAwait(false);
            return new(p.MessageId, p.Id, p.Lane, p.Key, p.Topic, p.Type, p.Headers, p.Payload, p.CreatedAt, DueAt: null, Slot: null, sinks);
        }

        return null;
    }

    public async Task<bool> ReplayAsync(string sink, Guid messageId, CancellationToken cancellationToken = default)
        => await ReplayAsync(Of(sink).Where(p => p.MessageId == messageId), cancellationToken).ConfigureAwait(false) > 0;

    public Task<int> ReplayDeadLettersAsync(string sink, DateTimeOffset from, DateTimeOffset? until = null, CancellationToken cancellationToken = default)
        => ReplayAsync(Dead(sink).Where(p => p.CreatedAt >= Utc(from) && p.CreatedAt < Utc(until ?? DateTimeOffset.MaxValue)), cancellationToken);

    public async Task<bool> ParkAsync(string sink, Guid messageId, CancellationToken cancellationToken = default)
        => await Of(sink).Where(p => p.MessageId == messageId && p.State != OutboxPendingState.Dead)
            .ExecuteUpdateAsync(s => s.SetProperty(p => p.State, OutboxPendingState.Dead), cancellationToken).ConfigureAwait(false) > 0;

    public Task<int> PurgeDeadLettersAsync(string sink, DateTimeOffset enqueuedBefore, CancellationToken cancellationToken = default)
        => Dead(sink).Where(p => p.CreatedAt < Utc(enqueuedBefore)).ExecuteDeleteAsync(cancellationToken);

    public Task<int> RewindAsync(string sink, DateTimeOffset since, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(sink);
        return ExecuteAsync(_sql.Rewind, cancellationToken, sink, Utc(since));
    }

    public async Task<bool> RemoveSinkAsync(string sink, CancellationToken cancellationToken = default)
    {
        await Of(sink).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
        await context.Set<OutboxOwner>().Where(o => o.Sink == sink).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
        return await context.Set<OutboxCursor>().Where(c => c.Sink == sink).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false) > 0;
    }

    public async Task<bool> ReseedAsync(CancellationToken cancellationToken = default)
    {
        var strategy = context.Database.CreateExecutionStrategy();
        return context.Database.CurrentTransaction is not null
            ? await ReseedInTransactionAsync(cancellationToken).ConfigureAwait(false)
            : await strategy.ExecuteAsync(
                async token =>
                {
                    var transaction = await context.Database.BeginTransactionAsync(IsolationLevel.ReadCommitted, token).ConfigureAwait(false);
                    await using (transaction.ConfigureAwait(false))
                    {
                        var needed = await ReseedInTransactionAsync(token).ConfigureAwait(false);
                        await transaction.CommitAsync(token).ConfigureAwait(false);
                        return needed;
                    }
                },
                cancellationToken).ConfigureAwait(false);
    }

    /// <param name="id">Id in the log.</param>
    /// <param name="lane">The lane.</param>
    /// <param name="transactionId">The transaction that enqueued it; one that all snapshots have seen when the log has lost it.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    private Task<List<OutboxMessageDelivery>> DeliveriesAsync(long id, short lane, ulong transactionId, CancellationToken cancellationToken)
        => RunAsync(
            _sql.Deliveries,
            async command =>
            {
                var sinks = new List<OutboxMessageDelivery>();
                var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    {
                        sinks.Add(OutboxDeliveryReader.Read(reader));
                    }
                }

                return sinks;
            },
            cancellationToken,
            id,
            lane,
            transactionId.ToString(CultureInfo.InvariantCulture));

    private async Task<bool> ReseedInTransactionAsync(CancellationToken cancellationToken)
    {
        await ExecuteAsync(_sql.Lock, cancellationToken).ConfigureAwait(false);
        if (await RunAsync(_sql.IsAhead, c => c.ExecuteScalarAsync(cancellationToken), cancellationToken).ConfigureAwait(false) is not true)
        {
            return false;
        }

        await ExecuteAsync(_sql.MakeOld, cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(_sql.StartAnew, cancellationToken).ConfigureAwait(false);
        OutboxDispatcherLog.Reseeded(context.GetService<ILoggerFactory>().CreateLogger(OutboxDispatcherLog.Category));
        return true;
    }

    private static DateTimeOffset Utc(DateTimeOffset time) => time.ToUniversalTime();

    private IQueryable<OutboxPending> Of(string sink)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(sink);
        return context.Set<OutboxPending>().Where(p => p.Sink == sink);
    }

    private IQueryable<OutboxPending> Dead(string sink) => Of(sink).Where(p => p.State == OutboxPendingState.Dead);

    private Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params object[] parameters)
        => RunAsync(sql, c => c.ExecuteNonQueryAsync(cancellationToken), cancellationToken, parameters);

    private async Task<T> RunAsync<T>(string sql, Func<DbCommand, Task<T>> run, CancellationToken cancellationToken, params object[] parameters)
    {
        await context.Database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var command = ContextCommand.Create(context, "", []);
            await using (command.ConfigureAwait(false))
            {
                command.CommandText = sql;
                foreach (var value in parameters)
                {
                    command.Parameters.Add(new NpgsqlParameter { Value = value });
                }

                return await run(command).ConfigureAwait(false);
            }
        }
        finally
        {
            await context.Database.CloseConnectionAsync().ConfigureAwait(false);
        }
    }
}
