using System.Reflection;
using EfConcurrency.Idempotency;
using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Database;
using EfConcurrency.Tool.Doctor;
using EfConcurrency.Tool.Leases;
using EfConcurrency.Tool.Locks;
using EfConcurrency.Tool.Status;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Snapshot;

internal sealed class SnapshotVerb : Verb
{
    private const int MostLetters = 100;
    private const int MostKeys = 100;

    private readonly StatusOptions _status = new();
    private readonly DoctorOptions _doctor = new();

    public SnapshotVerb()
        : base("snapshot", "Everything as one JSON document, for the incident's ticket: no payloads, no statements, no connection string. Exit code 0 whatever it shows.")
    {
        _status.AddTo(this);
        _doctor.AddTo(this);
    }

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var (thresholds, limits) = (_status.Of(session.Arguments), _doctor.Of(session.Arguments));
        var database = await session.ConnectAsync(cancellationToken);
        var status = await StatusReader.ReadAsync(database, thresholds, cancellationToken);
        session.Screen.WriteJson(new SnapshotDocument(
            status.At,
            new(Version()),
            await ServerAsync(database, cancellationToken),
            status.Rooms,
            await TryAsync(() => LocksAsync(database, status.At, cancellationToken)),
            await TryAsync(async () => (IReadOnlyList<TreeNode>)[.. (await BlockingTree.ReadAsync(database, cancellationToken)).Select(n => n.WithoutStatements())]),
            await LeasesAsync(database, cancellationToken),
            await OutboxAsync(database, cancellationToken),
            await StuckAsync(database, thresholds.Stuck, cancellationToken),
            await DoctorRounds.RunAsync(database, limits, cancellationToken)));
        return ExitCode.Ok;
    }

    private static string Version()
        => typeof(SnapshotVerb).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private static async Task<SnapshotServer> ServerAsync(OperatorDatabase database, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(SnapshotSql.Server);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new(reader.GetString(0), reader.GetString(1), reader.GetString(2), database.Schema, reader.GetBoolean(3));
    }

    /// <summary>A role that may not see other sessions still gets the rest; the doctor's findings say why this is missing.</summary>
    private static async Task<T?> TryAsync<T>(Func<Task<T>> read)
        where T : class
    {
        try
        {
            return await read();
        }
        catch (AdvisoryLocks.AdvisoryLockPermissionException)
        {
            return null;
        }
    }

    private static async Task<IReadOnlyList<LockRow>> LocksAsync(OperatorDatabase database, DateTimeOffset now, CancellationToken cancellationToken)
        => [.. (await database.Context.GetLockHoldersAsync(cancellationToken)).Select(h => LockRow.Of(h, now) with { Statement = null })];

    private static async Task<IReadOnlyList<LeaseRow>> LeasesAsync(OperatorDatabase database, CancellationToken cancellationToken)
        => !database.Tables.Has(LibraryTables.Lease) ? [] : [.. (await database.Context.Leases().ListAsync(cancellationToken)).Select(LeaseRow.Of).Where(l => l.State != LeaseState.Free)];

    private static async Task<IReadOnlyList<SnapshotSink>> OutboxAsync(OperatorDatabase database, CancellationToken cancellationToken)
    {
        var sinks = new List<SnapshotSink>();
        if (!database.Tables.Has(LibraryTables.OutboxCursor))
        {
            return sinks;
        }

        var admin = database.Context.OutboxAdmin();
        foreach (var sink in await admin.ListSinksAsync(cancellationToken))
        {
            var letters = await admin.ListDeadLettersAsync(sink.Sink, MostLetters, cancellationToken: cancellationToken);
            sinks.Add(new(
                sink.Sink,
                [.. sink.Dispatchers.Select(d => new SnapshotDispatcher(d.Name, d.StartedAt, d.LiveUntil, d.Failure))],
                [.. letters.Select(l => new SnapshotLetter(l.MessageId, l.Type, l.Topic, l.CreatedAt, l.Attempts, l.LastError))]));
        }

        return sinks;
    }

    private static async Task<IReadOnlyList<SnapshotKey>> StuckAsync(OperatorDatabase database, TimeSpan age, CancellationToken cancellationToken)
        => !database.Tables.Has(LibraryTables.IdempotencyKey) ? [] :
        [
            .. (await database.Context.Idempotency().ListStuckAsync(age, MostKeys, cancellationToken)).Select(r => new SnapshotKey(
                new IdempotencyKey(r.Scope, r.Key).Hash, r.State, r.Attempts, r.RecoveryPoint, r.CreatedAt, r.LockedUntil)),
        ];
}
