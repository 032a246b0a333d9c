using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;
using EfConcurrency.Leases;
using EfConcurrency.PostgresTests.Fencing;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.Leases;

/// <summary>What the database decides: who holds a lease, and under which token.</summary>
public sealed class LeaseTests(PlantDatabase plant) : IClassFixture<PlantDatabase>
{
    private static readonly LeaseOptions Still = new() { KeepAlive = false, TimeToLive = TimeSpan.FromMinutes(10), HolderInfo = "me" };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Name { get; } = Guid.NewGuid().ToString();

    [Fact]
    public async Task A_lease_is_acquired_once_renewed_released_and_acquired_again_under_a_higher_token()
    {
        var leases = Leases();
        var first = (await leases.TryAcquireAsync(Name, Still, Token)).Lease!;
        var held = await leases.TryAcquireAsync(Name, Still, Token);
        Assert.Equal((LeaseOutcome.Held, "me", first.FencingToken), (held.Outcome, held.HeldBy, held.HeldUnder));
        Assert.InRange(held.Remaining, TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(10));

        await first.RenewAsync(Token);
        Assert.Equal(first.FencingToken, (await leases.DescribeAsync(Name, Token))!.FencingToken);
        Assert.True(await first.ReleaseAsync(Token));
        Assert.False(await first.ReleaseAsync(Token));
        Assert.False((await leases.DescribeAsync(Name, Token))!.IsHeld);

        await using var second = await leases.AcquireAsync(Name, TimeSpan.Zero, Still, Token);
        Assert.True(second.FencingToken > first.FencingToken);
        Assert.Equal(TimeSpan.Zero, first.Remaining);
        Assert.InRange(second.Remaining, TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(10) - Still.Margin);
    }

    [Fact]
    public async Task Force_frees_it_and_raises_the_token_so_that_the_holder_is_told_at_its_next_renewal()
    {
        var leases = Leases();
        Assert.Null(await leases.ForceAsync(Name, Token));
        await using var held = (await leases.TryAcquireAsync(Name, Still, Token)).Lease!;
        Assert.Equal(new ForcedRelease(held.FencingToken + 1, "me"), await leases.ForceAsync(Name, Token));

        Assert.Equal(LeaseLoss.TakenOver, (await Assert.ThrowsAsync<LeaseLostException>(() => held.RenewAsync(Token))).Reason);
        await Eventually.IsCancelledAsync(held.LostToken);
        Assert.False(await held.ReleaseAsync(Token));
        await using var next = (await leases.TryAcquireAsync(Name, Still, Token)).Lease!;
        Assert.Equal(held.FencingToken + 2, next.FencingToken);
        Assert.True((await leases.DescribeAsync(Name, Token))!.IsHeld);
    }

    [Fact]
    public async Task Tokens_rise_strictly_and_holders_never_overlap_among_16_contenders()
    {
        var leases = Leases();
        var tokens = new List<long>();
        var holders = 0;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(
            async () =>
            {
                for (var round = 0; round < 20; round++)
                {
                    await using var lease = await leases.AcquireAsync(Name, Timeout.InfiniteTimeSpan, new() { KeepAlive = false, TimeToLive = Still.TimeToLive, PollInterval = TimeSpan.FromMilliseconds(2) }, Token);
                    Assert.Equal(1, Interlocked.Increment(ref holders));
                    tokens.Add(lease.FencingToken);
                    Interlocked.Decrement(ref holders);
                }
            },
            Token)));

        Assert.Equal(320, tokens.Count);
        Assert.Equal(tokens.Order(), tokens);
        Assert.Distinct(tokens);
    }

    [Fact]
    public async Task A_wait_ends_with_the_holder_in_its_exception()
    {
        var leases = Leases();
        await using var held = (await leases.TryAcquireAsync(Name, Still, Token)).Lease!;
        var refused = await Assert.ThrowsAsync<LeaseNotAcquiredException>(() => leases.AcquireAsync(Name, TimeSpan.FromMilliseconds(50), Still, Token));
        Assert.Equal((Name, "me", LeaseOutcome.Held), (refused.Name, refused.HeldBy, refused.Outcome));
    }

    [Fact]
    public async Task A_reply_that_is_lost_after_the_commit_is_found_again()
    {
        // Without the reset that Npgsql sends in front of the first statement on a used connection: the fault is for our statement.
        await using var proxy = plant.StartProxy(c => c.NoResetOnClose = true);
        await using var db = plant.Open(connectionString: proxy.ConnectionString);
        await db.Leases().TryAcquireAsync(Name + "warm", Still, Token);
        var fault = proxy.FaultNextBatch(CommitFault.CutAfter);

        var acquisition = await db.Leases().TryAcquireAsync(Name, Still, Token);

        await fault;
        Assert.Equal(LeaseOutcome.Acquired, acquisition.Outcome);
        Assert.Equal(acquisition.Lease!.Id, (await Leases().DescribeAsync(Name, Token))!.Holder);
        await acquisition.Lease.DisposeAsync();
    }

    [Fact]
    public async Task Sessions_with_a_server_that_was_read_only_are_not_used_again()
    {
        var own = new NpgsqlConnectionStringBuilder(plant.ConnectionString) { ApplicationName = "demoted" };
        await plant.ExecuteAsync($"alter database \"{own.Database}\" set default_transaction_read_only = on");
        await using var db = plant.Open(connectionString: own.ConnectionString);
        var acquisition = await db.Leases().TryAcquireAsync(Name, Still, Token);
        await plant.ExecuteAsync($"begin read write; alter database \"{own.Database}\" reset default_transaction_read_only; commit");
        Assert.Equal((LeaseOutcome.Unavailable, true), (acquisition.Outcome, acquisition.Failure!.IsReadOnlyServer));

        await using var lease = (await db.Leases().TryAcquireAsync(Name, Still, Token)).Lease;
        Assert.NotNull(lease);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable()
    {
        var nowhere = new NpgsqlConnectionStringBuilder(plant.ConnectionString) { Port = 1, Timeout = 1 }.ConnectionString;
        await using var db = plant.Open(connectionString: nowhere);
        var acquisition = await db.Leases().TryAcquireAsync(Name, Still, Token);
        Assert.Equal((LeaseOutcome.Unavailable, false), (acquisition.Outcome, acquisition.Failure!.IsReadOnlyServer));
        await Assert.ThrowsAsync<LeaseUnavailableException>(() => db.Leases().DescribeAsync(Name, Token));
    }

    [Fact]
    public async Task Without_a_lease_table_the_exception_names_what_to_add()
    {
        await using var own = await plant.CreateDatabaseAsync();
        await using var db = plant.Open(connectionString: own.ConnectionString);
        Assert.Contains("HasLeases", (await Assert.ThrowsAsync<LeaseTableMissingException>(() => db.Leases().TryAcquireAsync(Name, Still, Token))).Message, StringComparison.Ordinal);

        await using var rows = (await RowsDatabase.CreateAsync(plant)).Open();
        Assert.Contains("HasLeases", Assert.Throws<LeaseTableMissingException>(() => rows.Leases()).Message, StringComparison.Ordinal);
        await using var lease = (await Leases().TryAcquireAsync(Name, Still, Token)).Lease!;
        Assert.Throws<LeaseTableMissingException>(() => rows.UseLease(lease));
    }

    [Fact]
    public async Task Bad_input_is_refused_by_name()
    {
        var leases = Leases();
        await Assert.ThrowsAsync<ArgumentException>(() => leases.TryAcquireAsync("", Still, Token));
        await Assert.ThrowsAsync<ArgumentException>(() => leases.TryAcquireAsync(new string('x', 201), Still, Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => leases.AcquireAsync("x", TimeSpan.FromSeconds(-2), Still, Token));
        foreach (var bad in (LeaseOptions[])[
            new() { TimeToLive = TimeSpan.Zero }, new() { TimeToLive = TimeSpan.FromSeconds(-1) }, new() { TimeToLive = TimeSpan.FromMilliseconds(499) },
            new() { SafetyMargin = TimeSpan.FromSeconds(10) }, new() { SafetyMargin = TimeSpan.FromSeconds(-1) }, new() { TakeoverWait = TimeSpan.Zero }, new() { PollInterval = TimeSpan.Zero }])
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => leases.TryAcquireAsync("x", bad, Token));
        }
    }

    [Fact]
    public async Task The_manager_outlives_its_context_and_works_from_a_data_source_too()
    {
        await using var source = NpgsqlDataSource.Create(plant.ConnectionString);
        ILeaseManager leases;
        await using (var db = new PlantContext(new DbContextOptionsBuilder<PlantContext>().UseNpgsql(source).UseEfConcurrency().Options))
        {
            leases = db.Leases();
        }

        await using var lease = (await leases.TryAcquireAsync(Name, Still, Token)).Lease!;
        Assert.Contains(await leases.ListAsync(Token), l => l.Name == Name && l.HolderInfo == "me" && l.IsHeld);
    }

    [Fact]
    public async Task Held_leases_and_the_shortest_time_left_are_measured()
    {
        using var listener = new MeterListener();
        var held = 0;
        var shortest = double.MaxValue;
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == EfConcurrencyDiagnostics.MeterName && instrument.Name.StartsWith("efconcurrency.lease.", StringComparison.Ordinal))
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((_, value, _, _) => held = value);
        listener.SetMeasurementEventCallback<double>((_, value, _, _) => shortest = value);
        listener.Start();
        await using var lease = (await Leases().TryAcquireAsync(Name, new() { KeepAlive = false, TimeToLive = TimeSpan.FromSeconds(5) }, Token)).Lease!;
        listener.RecordObservableInstruments();
        Assert.True(held >= 1);
        Assert.InRange(shortest, 0, 5);
    }

    private ILeaseManager Leases()
    {
        using var db = plant.Open();
        return db.Leases();
    }
}
