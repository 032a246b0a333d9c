using System.CommandLine;
using EfConcurrency.Benchmarks.Diagnostics;
using EfConcurrency.Benchmarks.Fencing;
using EfConcurrency.Benchmarks.Idempotency;
using EfConcurrency.Benchmarks.Locks;
using EfConcurrency.Benchmarks.Outbox;
using EfConcurrency.Benchmarks.Versioning;
using EfConcurrency.Testing;
using Npgsql;

var rounds = new Option<int>("--rounds") { Description = "Rounds of each contender.", DefaultValueFactory = _ => 15 };
var slice = new Option<int>("--slice") { Description = "Milliseconds of a round.", DefaultValueFactory = _ => 250 };

var hotOnly = new Option<bool>("--hot-row-only") { Description = "Leaves the saves out." };

var versioning = new Command("versioning", "Versioned saves against plain EF, and a hot row.") { rounds, slice, hotOnly };
versioning.SetAction(async (arguments, cancellationToken) =>
{
    await using var server = await LocalPostgres.StartAsync(new LocalPostgresOptions { Durable = true }, cancellationToken);
    await using var database = await server.CreateDatabaseAsync(cancellationToken);
    var connectionString = Prepared(database.ConnectionString);
    var rows = new BenchRows(connectionString);
    await rows.CreateAsync();

    var time = TimeSpan.FromMilliseconds(arguments.GetValue(slice));
    var random = new Random(1);
    Console.WriteLine($"{Environment.ProcessorCount} cores, PostgreSQL and the client on the same machine, fsync on, {arguments.GetValue(rounds)} interleaved rounds.");
    Console.WriteLine();

    var save = new SaveBenchmark(rows, arguments.GetValue(rounds), time, random);
    foreach (var workers in arguments.GetValue(hotOnly) ? [] : (int[])[1, 16])
    {
        foreach (var count in (int[])[1, 2, 20])
        {
            await save.RunAsync(count, workers, withInsert: false);
        }

        await save.RunAsync(1, workers, withInsert: true);
    }

    var hot = new HotRowBenchmark(rows, arguments.GetValue(rounds), time * 4, random);
    await hot.RunAsync(4);
    await hot.RunAsync(16);
    await hot.RunAsync(16, of: 8, each: 2);
    return 0;
});

var fencing = new Command("fencing", "Fenced saves against plain EF, lease operations against the same SQL by hand.") { rounds, slice };
fencing.SetAction(async (arguments, cancellationToken) =>
{
    await using var server = await LocalPostgres.StartAsync(new LocalPostgresOptions { Durable = true }, cancellationToken);
    var time = TimeSpan.FromMilliseconds(arguments.GetValue(slice));
    var random = new Random(1);
    Console.WriteLine($"{Environment.ProcessorCount} cores, PostgreSQL and the client on the same machine, fsync on, {arguments.GetValue(rounds)} interleaved rounds.");
    Console.WriteLine();

    var saves = new FencingBenchmark(server, Prepared, arguments.GetValue(rounds), time, random);
    foreach (var (rowCount, workers) in ((int, int)[])[(1, 1), (20, 1), (20, 16)])
    {
        await saves.RunAsync(rowCount, workers);
    }

    await new LeaseBenchmark(server, Prepared, arguments.GetValue(rounds), time, random).RunAsync();
    return 0;
});

var locks = new Command("locks", "Advisory locks and row locks against the same by hand.") { rounds, slice };
locks.SetAction(async (arguments, cancellationToken) =>
{
    await using var server = await LocalPostgres.StartAsync(new LocalPostgresOptions { Durable = true }, cancellationToken);
    Console.WriteLine($"{Environment.ProcessorCount} cores, PostgreSQL and the client on the same machine, fsync on, {arguments.GetValue(rounds)} interleaved rounds.");
    Console.WriteLine();

    var database = new LockDatabase(server, Prepared, arguments.GetValue(rounds), TimeSpan.FromMilliseconds(arguments.GetValue(slice)), new Random(1));
    var advisory = new AdvisoryLockBenchmark(database);
    await advisory.RunAsync(1, oneKey: false);
    await advisory.RunAsync(16, oneKey: false);
    await advisory.RunAsync(16, oneKey: true);

    var rows = new RowLockBenchmark(database);
    await rows.RunAsync(1);
    await rows.RunAsync(16);
    return 0;
});

var outbox = new Command("outbox", "Enqueue against an outbox entity, and against no outbox; a backlog of a million.") { rounds, slice };
outbox.SetAction(async (arguments, cancellationToken) =>
{
    await using var server = await LocalPostgres.StartAsync(new LocalPostgresOptions { Durable = true }, cancellationToken);
    Console.WriteLine($"{Environment.ProcessorCount} cores, PostgreSQL and the client on the same machine, fsync on, {arguments.GetValue(rounds)} interleaved rounds.");
    Console.WriteLine();

    var enqueue = new EnqueueBenchmark(server, Prepared, arguments.GetValue(rounds), TimeSpan.FromMilliseconds(arguments.GetValue(slice)), new Random(1));
    foreach (var workers in (int[])[1, 8])
    {
        await enqueue.RunAsync(messages: 1, workers);
        await enqueue.RunAsync(messages: 10, workers);
    }

    var backlog = new BacklogMeasure(server);
    await backlog.RunAsync(isSnapshotHeld: false, cancellationToken);
    await backlog.RunAsync(isSnapshotHeld: true, cancellationToken);
    return 0;
});

var idempotency = new Command("idempotency", "New keys and replays against the same by hand, and over HTTP.") { rounds, slice };
idempotency.SetAction(async (arguments, cancellationToken) =>
{
    await using var server = await LocalPostgres.StartAsync(new LocalPostgresOptions { Durable = true }, cancellationToken);
    Console.WriteLine($"{Environment.ProcessorCount} cores, PostgreSQL and the client on the same machine, fsync on, {arguments.GetValue(rounds)} interleaved rounds.");
    Console.WriteLine();

    var database = new IdempotencyDatabase(server, Prepared, arguments.GetValue(rounds), TimeSpan.FromMilliseconds(arguments.GetValue(slice)), new Random(1));
    foreach (var workers in (int[])[1, 16])
    {
        await new NewKeyBenchmark(database).RunAsync(workers);
        await new ReplayBenchmark(database).RunAsync(workers);
        await new HttpBenchmark(database).RunAsync(workers);
    }

    return 0;
});

var telemetry = new Command("telemetry", "What metrics and spans cost, while nobody listens and while OpenTelemetry does.") { rounds, slice };
telemetry.SetAction(async (arguments, cancellationToken) =>
{
    await using var server = await LocalPostgres.StartAsync(new LocalPostgresOptions { Durable = true }, cancellationToken);
    await using var database = await server.CreateDatabaseAsync(cancellationToken);
    Console.WriteLine($"{Environment.ProcessorCount} cores, PostgreSQL and the client on the same machine, fsync on, {arguments.GetValue(rounds)} interleaved rounds.");
    Console.WriteLine();
    await new TelemetryBenchmark(Prepared(database.ConnectionString), arguments.GetValue(rounds), TimeSpan.FromMilliseconds(arguments.GetValue(slice)), new Random(1)).RunAsync();
    return 0;
});

return await new RootCommand("Benchmarks of EfConcurrency: ratios of medians, interleaved rounds.") { versioning, fencing, locks, outbox, idempotency, telemetry }.Parse(args).InvokeAsync();

static string Prepared(string connectionString)
    => new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = 100, AutoPrepareMinUsages = 2 }.ConnectionString;
