using System.Data;
using EfConcurrency.Benchmarks.Harness;
using EfConcurrency.Testing;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.Benchmarks.Versioning;

/// <summary>What a versioned save costs above a plain one, for tracked rows that change a value.</summary>
internal sealed class SaveBenchmark(BenchRows rows, int rounds, TimeSpan slice, Random random)
{
    public async Task RunAsync(int rowCount, int workers, bool withInsert)
    {
        var trips = new Dictionary<string, double>();
        await using var proxy = FaultProxy.Start(rows.ConnectionString);
        foreach (var contender in await ContendersAsync(proxy.ConnectionString, rowCount, workers: 1, withInsert))
        {
            await contender.Workers[0]();
            await contender.Workers[0]();
            var counter = proxy.CountRoundTrips();
            await contender.Workers[0]();
            trips[contender.Name] = counter.Count;
        }

        var contenders = await ContendersAsync(rows.ConnectionString, rowCount, workers, withInsert);
        Console.WriteLine($"### {rowCount} row(s){(withInsert ? " and one insert" : "")} in one save, {workers} worker(s)");
        Console.WriteLine();
        MarkdownTable.Print(await InterleavedRounds.RunAsync(contenders, rounds, slice, random), trips);
    }

    private async Task<IReadOnlyList<Contender>> ContendersAsync(string connectionString, int rowCount, int workers, bool withInsert)
    {
        List<Contender> contenders =
        [
            await TrackedAsync<PlainContext>("EF, no version", null),
            await TrackedAsync<XminContext>("EF, xmin", null),
            await TrackedAsync<VersionedContext>("versioned, judged by EF (BEGIN…COMMIT)", ServerJudgedSaves.Never),
            await TrackedAsync<VersionedContext>("versioned, judged by the server", ServerJudgedSaves.WhenAvailable),
            await ByHandAsync("by hand: NpgsqlBatch with version", withInsert),
        ];
        if (withInsert)
        {
            contenders.Insert(2, await TrackedAsync<PlainContext>("EF, no version, explicit transaction", null, explicitTransaction: true));
        }

        return contenders;

        async Task<Contender> TrackedAsync<T>(string name, ServerJudgedSaves? judge, bool explicitTransaction = false)
            where T : BenchContext
        {
            var factory = BenchFactory.Create<T>(connectionString, judge);
            var operations = new List<Func<Task>>();
            for (var worker = 0; worker < workers; worker++)
            {
                var first = await rows.TakeAsync(rowCount);
                var db = await factory.CreateDbContextAsync();
                var tracked = await db.Rows.Where(r => r.Id >= first && r.Id < first + rowCount).ToListAsync();
                operations.Add(() => SaveAsync(db, tracked, explicitTransaction));
            }

            return new(name, operations);
        }

        async Task SaveAsync(BenchContext db, List<BenchRow> tracked, bool explicitTransaction)
        {
            tracked.ForEach(r => r.Value++);
            BenchEvent? added = null;
            if (withInsert)
            {
                db.Add(added = new BenchEvent { Text = "value raised" });
            }

            await using var transaction = explicitTransaction ? await db.Database.BeginTransactionAsync() : null;
            await db.SaveChangesAsync();
            if (transaction is not null)
            {
                await transaction.CommitAsync();
            }

            if (added is not null)
            {
                db.Entry(added).State = EntityState.Detached;
            }
        }

        async Task<Contender> ByHandAsync(string name, bool insert)
        {
            var operations = new List<Func<Task>>();
            for (var worker = 0; worker < workers; worker++)
            {
                var first = await rows.TakeAsync(rowCount);
                var byHand = new ByHand(connectionString, first, rowCount, insert);
                operations.Add(byHand.SaveAsync);
            }

            return new(name, operations);
        }
    }

    /// <summary>The limit: what a careful programmer would write without EF.</summary>
    private sealed class ByHand(string connectionString, int first, int count, bool withInsert)
    {
        private long _version = 1;

        public async Task SaveAsync()
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync();
            await using var transaction = count > 1 || withInsert ? await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted) : null;
            await using var batch = new NpgsqlBatch(connection, transaction);
            for (var id = first; id < first + count; id++)
            {
                batch.BatchCommands.Add(new("update row set \"Value\" = $1, \"Version\" = $2 where \"Id\" = $3 and \"Version\" = $4")
                {
                    Parameters = { new() { Value = (int)_version }, new() { Value = _version + 1 }, new() { Value = id }, new() { Value = _version } },
                });
            }

            if (withInsert)
            {
                batch.BatchCommands.Add(new("insert into event (\"Text\") values ($1) returning \"Id\"") { Parameters = { new() { Value = "value raised" } } });
            }

            await batch.ExecuteNonQueryAsync();
            for (var i = 0; i < count; i++)
            {
                if (batch.BatchCommands[i].RecordsAffected != 1)
                {
                    throw new DBConcurrencyException();
                }
            }

            if (transaction is not null)
            {
                await transaction.CommitAsync();
            }

            _version++;
        }
    }
}
