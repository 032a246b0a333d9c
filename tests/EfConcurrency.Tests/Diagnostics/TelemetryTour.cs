using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Diagnostics;
using EfConcurrency.Fencing;
using EfConcurrency.Idempotency;
using EfConcurrency.Inbox;
using EfConcurrency.JobSlots;
using EfConcurrency.Leases;
using EfConcurrency.Outbox;
using EfConcurrency.QueryPipeline;
using EfConcurrency.RabbitMQ;
using EfConcurrency.RowLocks;
using EfConcurrency.Tests.Habits;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EfConcurrency.Tests.Diagnostics;

/// <summary>Measures everything once: each method of each meter class, with each value that it can be given.</summary>
internal sealed class TelemetryTour
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static readonly Exception Failure = new NotSupportedException();

    private readonly TelemetryPage _page;
    private readonly Lease _lease = Lease();
    private readonly Dictionary<string, Action> _stops;

    public TelemetryTour(TelemetryPage page)
    {
        _page = page;
        _stops = new(StringComparer.Ordinal)
        {
            ["VersioningMeter.Conflict"] = () => Array.ForEach(Conflicts(), VersioningMeter.Conflict),
            ["VersioningMeter.Retry"] = VersioningMeter.Retry,
            ["VersioningMeter.Unit"] = () => Outcomes("efconcurrency.retry.units", o => VersioningMeter.Unit(o, o is "exhausted" or "failed" ? Failure : null)),
            ["VersioningMeter.CommitCheck"] = () => Outcomes("efconcurrency.commit_outcome.checks", VersioningMeter.CommitCheck),
            ["AdvisoryLocksMeter.WaitStarted"] = () => Locks(AdvisoryLocksMeter.WaitStarted),
            ["AdvisoryLocksMeter.WaitEnded"] = () => Outcomes("distributed_lock.acquisition.duration", o => Locks(l => AdvisoryLocksMeter.WaitEnded(l, Second, o, isContended: true, o == "acquired" ? null : o))),
            ["AdvisoryLocksMeter.Held"] = () => Locks(l => AdvisoryLocksMeter.Held(l, Second)),
            ["AdvisoryLocksMeter.WasLost"] = () => Locks(l => AdvisoryLocksMeter.WasLost(new() { Mode = l.Mode, Resource = l.Resource, Scope = AdvisoryLockScope.Session })),
            ["AdvisoryLocksMeter.Name"] = () => { },
            ["RowLocksMeter.Ended"] = RowLocks,
            ["FencingMeter.Rejected"] = () => FencingMeter.Rejected(new("resource", 1, 2, "holder")),
            ["IdempotencyMeter.Request"] = () => Outcomes("efconcurrency.idempotency.requests", o => Each<IdempotencyMode>(m => IdempotencyMeter.Request(m, o, o is "failed" or "lost" ? Failure : null))),
            ["IdempotencyMeter.Expired"] = () => IdempotencyMeter.Expired(1),
            ["IdempotencyMeter.SetStuck"] = () => IdempotencyMeter.SetStuck("Context", 1),
            ["IdempotencyMeter.Name"] = () => { },
            ["JobSlotsMeter.Claim"] = () => Outcomes("efconcurrency.job_slot.claims", o => JobSlotsMeter.Claim("job", o, o == "failed" ? Failure : null)),
            ["JobSlotsMeter.Completion"] = () => Outcomes("efconcurrency.job_slot.completions", o => JobSlotsMeter.Completion("job", o)),
            ["LeaseMeter.Started"] = () => LeaseMeter.Started(_lease),
            ["LeaseMeter.Ended"] = () => LeaseMeter.Ended(Lease()),
            ["LeaseMeter.Attempt"] = () => Each<LeaseOutcome>(o => LeaseMeter.Attempt(o, o == LeaseOutcome.Unavailable ? Failure : null)),
            ["LeaseMeter.Elected"] = LeaseMeter.Elected,
            ["LeaseMeter.Renewed"] = LeaseMeter.Renewed,
            ["LeaseMeter.RenewalFailed"] = () => LeaseMeter.RenewalFailed(Failure),
            ["LeaseMeter.Lost"] = () => Each<LeaseLoss>(LeaseMeter.Lost),
            ["LeaseMeter.Tag"] = () => { },
            ["OutboxEnqueueMeter.Saved"] = () => OutboxEnqueueMeter.Saved([new(new(typeof(string), "type.v1", "topic", null), Guid.Empty, 0, null, "{}", [1], null)], 1),
            ["OutboxEnqueueMeter.Refused"] = () => Each<OutboxRefusal>(OutboxEnqueueMeter.Refused),
            ["OutboxMeter.Settled"] = () => Each<OutboxOutcome>(o => OutboxMeter.Settled("sink", o)),
            ["OutboxMeter.Sent"] = () => Array.ForEach([null, Failure], f => OutboxMeter.Sent("sink", Second, f)),
            ["OutboxMeter.Lag"] = () => OutboxMeter.Lag(typeof(TelemetryTour), "sink", new("sink", 1, 1, 1, 1, Second)),
            ["OutboxMeter.Leads"] = () => OutboxMeter.Leads(typeof(TelemetryTour), "sink", 1),
            ["OutboxMeter.Fenced"] = () => OutboxMeter.Fenced("sink"),
            ["OutboxMeter.Sink"] = () => { },
            ["InboxMeter.Message"] = () => Outcomes("efconcurrency.inbox.messages", o => InboxMeter.Message("consumer", "type.v1", o, o is "failed" or "rejected" ? Failure : null)),
            ["InboxMeter.Duplicate"] = () => InboxMeter.Duplicate("consumer"),
            ["InboxMeter.Handled"] = () => Outcomes("efconcurrency.inbox.handle.duration", o => InboxMeter.Handled("consumer", o, Second, o is "failed" or "rejected" ? Failure : null)),
            ["InboxMeter.Partition"] = () => Outcomes("efconcurrency.inbox.cleanup.partitions", InboxMeter.Partition),
            ["InboxMeter.RowsDeleted"] = () => InboxMeter.RowsDeleted(1),
            ["RabbitMqMeter.Published"] = () => Array.ForEach([null, "Unroutable"], e => RabbitMqMeter.Published("exchange", e)),
            ["RabbitMqMeter.PublishedSlice"] = () => Array.ForEach([null, "System.IO.IOException"], e => RabbitMqMeter.PublishedSlice("exchange", Second, e)),
            ["RabbitMqMeter.Answered"] = () => Outcomes("messaging.client.consumed.messages", o => RabbitMqMeter.Answered("queue", o, o == "dead" ? "attempts" : null)),
            ["RabbitMqMeter.Processed"] = () => Outcomes("messaging.process.duration", o => RabbitMqMeter.Processed("queue", Second, o, o is "failed" or "rejected" ? Failure : null)),
            ["RabbitMqMeter.Connect"] = () => Array.ForEach([true, false], s => RabbitMqMeter.Connect("transport t", s)),
            ["RabbitMqMeter.InProcess"] = () => RabbitMqMeter.InProcess("queue", 1),
        };
    }

    /// <summary>Where the packages' instruments are made.</summary>
    public static IEnumerable<Type> MeterClasses => Habit.Assemblies.SelectMany(Habit.WrittenTypes).Where(t => t.Name.EndsWith("Meter", StringComparison.Ordinal));

    /// <summary>The methods that the tour does not call, and calls that have no method any more.</summary>
    public IEnumerable<string> Missed
    {
        get
        {
            string[] methods = [.. MeterClasses.SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)).Select(m => $"{m.DeclaringType!.Name}.{m.Name}").Distinct()];
            return [.. methods.Except(_stops.Keys).Select(m => $"{m} is not called"), .. _stops.Keys.Except(methods).Select(m => $"{m} is no more")];
        }
    }

    /// <summary>All instruments, measured or not.</summary>
    public static IReadOnlyList<Instrument> Instruments()
    {
        foreach (var type in MeterClasses)
        {
            RuntimeHelpers.RunClassConstructor(type.TypeHandle);
        }

        var instruments = new List<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == EfConcurrencyDiagnostics.MeterName)
                {
                    instruments.Add(instrument);
                }
            },
        };
        listener.Start();
        return instruments;
    }

    /// <summary>All measurements.</summary>
    public IReadOnlyList<(string Instrument, KeyValuePair<string, object?>[] Tags)> Run()
    {
        var measured = new ConcurrentQueue<(string, KeyValuePair<string, object?>[])>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == EfConcurrencyDiagnostics.MeterName)
                {
                    l.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((i, _, tags, _) => measured.Enqueue((i.Name, tags.ToArray())));
        listener.SetMeasurementEventCallback<long>((i, _, tags, _) => measured.Enqueue((i.Name, tags.ToArray())));
        listener.SetMeasurementEventCallback<double>((i, _, tags, _) => measured.Enqueue((i.Name, tags.ToArray())));
        listener.Start();
        foreach (var stop in _stops.Values)
        {
            stop();
        }

        listener.RecordObservableInstruments();
        LeaseMeter.Ended(_lease);
        OutboxMeter.Lag(typeof(TelemetryTour), "sink", lag: null);
        return [.. measured];
    }

    private static void Each<T>(Action<T> act)
        where T : struct, Enum
        => Array.ForEach(Enum.GetValues<T>(), act);

    private static void Locks(Action<AdvisoryLockOptions> act)
    {
        act(new());
        Each<AdvisoryLockMode>(m => Each<AdvisoryLockScope>(s => act(new() { Mode = m, Scope = s, Resource = "invoice:{id}" })));
    }

    private static void RowLocks()
    {
        Exception?[] endings =
        [
            null, Failure, new OperationCanceledException(), new RowLockUnavailableException(RowLockWait.NoWait, isTransactionUsable: true, Failure),
            new PostgresException("deadlock", "ERROR", "ERROR", PostgresErrorCodes.DeadlockDetected),
        ];
        Each<LockWaitKind>(k => Array.ForEach(endings, e => RowLocksMeter.Ended(new(k, 0), Second, e)));
    }

    private static Lease Lease()
        => new(null!, "name", Guid.Empty, new(IsAcquired: true, 1, null, Second), TimeProvider.System.GetTimestamp(), new() { KeepAlive = false }, TimeProvider.System, new(NullLogger.Instance));

    private static VersionConflict[] Conflicts()
    {
        using var db = new Stock(new DbContextOptionsBuilder<Stock>().UseNpgsql("Host=nowhere").Options);
        var type = db.Model.FindEntityType(typeof(Item))!;
        var key = new Dictionary<string, object?>();
        return [VersionConflict.Stale(type, key, 1L, 2L, []), VersionConflict.Deleted(type, key, 1L)];
    }

    /// <summary>What the page says can be told; <see cref="TelemetryPageTests"/> looks for it in the code.</summary>
    private void Outcomes(string instrument, Action<string> act)
    {
        foreach (var outcome in _page.Instruments.Single(i => i.Name == instrument).Tags.Single(t => t.Name == TagNames.Outcome).Values)
        {
            act(outcome!);
        }
    }

    private sealed class Stock(DbContextOptions<Stock> options) : DbContext(options)
    {
        public DbSet<Item> Items => Set<Item>();
    }

    private sealed class Item
    {
        public int Id { get; set; }
    }
}
