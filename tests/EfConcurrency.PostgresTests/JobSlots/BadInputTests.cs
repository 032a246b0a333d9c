using EfConcurrency.JobSlots;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.JobSlots.SlotDatabase;

namespace EfConcurrency.PostgresTests.JobSlots;

public sealed class BadInputTests(SlotDatabase database) : IClassFixture<SlotDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Wrong_arguments_are_refused_before_anything_is_sent()
    {
        var slots = database.Slots(database.With(b => b.Port = 1)); // nobody answers there
        var schedule = JobSchedule.Every(TimeSpan.FromHours(1));

        foreach (var job in (string[])["", "  ", new('x', 201), "a\0b"])
        {
            Assert.Equal("job", (await Assert.ThrowsAnyAsync<ArgumentException>(() => slots.TryClaimAsync(job, Midnight, cancellationToken: Token))).ParamName);
            Assert.Equal("job", (await Assert.ThrowsAnyAsync<ArgumentException>(() => slots.TryClaimAsync(job, schedule, cancellationToken: Token))).ParamName);
            Assert.Equal("job", (await Assert.ThrowsAnyAsync<ArgumentException>(() => slots.HistoryAsync(job, cancellationToken: Token))).ParamName);
            Assert.Equal("job", (await Assert.ThrowsAnyAsync<ArgumentException>(() => slots.DeleteHistoryAsync(job, TimeSpan.Zero, Token))).ParamName);
        }

        await Assert.ThrowsAsync<ArgumentNullException>(() => slots.TryClaimAsync(null!, Midnight, cancellationToken: Token));
        await Assert.ThrowsAsync<ArgumentNullException>(() => slots.TryClaimAsync("job", (JobSchedule)null!, cancellationToken: Token));
        foreach (var slot in (DateTimeOffset[])[default, DateTimeOffset.UnixEpoch.AddTicks(-10), Midnight.AddTicks(1), DateTimeOffset.MaxValue])
        {
            Assert.Equal("slot", (await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => slots.TryClaimAsync("job", slot, cancellationToken: Token))).ParamName);
        }

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => slots.HistoryAsync("job", 0, Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => slots.DeleteHistoryAsync("job", TimeSpan.FromTicks(-1), Token));
    }

    [Fact]
    public async Task Wrong_options_are_named()
    {
        var slots = database.Slots();
        (string Name, JobSlotOptions Options)[] wrong =
        [
            ("Mode", new() { Mode = (JobSlotMode)7 }),
            ("LeaseTime", new() { LeaseTime = TimeSpan.Zero }),
            ("LeaseTime", new() { LeaseTime = TimeSpan.FromSeconds(-1) }),
            ("LeaseTime", new() { LeaseTime = TimeSpan.MaxValue }),
            ("MaxRunners", new() { MaxRunners = 0 }),
            ("MaxRunners", new() { MaxRunners = 1001 }),
            ("Info", new() { Info = new('x', 201) }),
        ];
        foreach (var (name, options) in wrong)
        {
            Assert.Equal(name, (await Assert.ThrowsAnyAsync<ArgumentException>(() => slots.TryClaimAsync("job", Midnight, options, Token))).ParamName);
        }

        var handle = Handle(await slots.TryClaimAsync(NewJob(), Midnight, cancellationToken: Token));
        Assert.Equal("leaseTime", (await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => handle.ExtendAsync(TimeSpan.Zero, Token))).ParamName);
        await using var db = database.Open();
        Assert.Equal("info", (await Assert.ThrowsAsync<ArgumentException>(
            () => db.RunJobSlotOnceAsync("job", Midnight, (_, _, _) => Task.CompletedTask, new('x', 201), Token))).ParamName);
    }

    [Fact]
    public async Task The_longest_of_everything_fits()
    {
        var longest = JobSchedule.Every(TimeSpan.FromDays(3650), DateTimeOffset.MaxValue.AddTicks(-9));
        var options = new JobSlotOptions { Info = new('ä', 200), LeaseTime = TimeSpan.FromDays(365), MaxRunners = 1000 };
        var handle = Handle(await database.Slots().TryClaimAsync(new('ö', 200), longest, options, Token));
        Assert.Equal(longest.SlotAt(handle.ClaimedAt), handle.Slot);
        await handle.CompleteAsync(new('ü', 100_000), Token);
    }

    [Fact]
    public async Task A_missing_table_names_HasJobSlots_and_the_migration()
    {
        await using var empty = await database.CreateDatabaseAsync();
        var slots = database.Slots(empty.ConnectionString);

        foreach (var call in (Func<Task>[])[
            () => slots.TryClaimAsync("job", Midnight, cancellationToken: Token),
            () => slots.HistoryAsync("job", cancellationToken: Token),
            () => slots.DeleteHistoryAsync(null, TimeSpan.Zero, Token),
            () => RunInTransactionAsync(empty)])
        {
            var missing = await Assert.ThrowsAsync<JobSlotTableMissingException>(call);
            Assert.Equal("efc.job_slot", missing.Table);
            Assert.Contains("HasJobSlots()", missing.Message, StringComparison.Ordinal);
            Assert.Contains("add a migration", missing.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_model_without_job_slots_and_a_context_without_EfConcurrency_are_named()
    {
        await using var plain = new PlainContext(new DbContextOptionsBuilder<PlainContext>().UseNpgsql(database.ConnectionString).UseEfConcurrency().Options);
        Assert.Null(Assert.Throws<JobSlotTableMissingException>(() => plain.JobSlots()).Table);
        await Assert.ThrowsAsync<JobSlotTableMissingException>(() => plain.TryClaimJobSlotInTransactionAsync("job", Midnight, cancellationToken: Token));

        await using var bare = new SlotContext(new DbContextOptionsBuilder<SlotContext>().UseNpgsql(database.ConnectionString).Options);
        Assert.Contains("UseEfConcurrency()", Assert.Throws<InvalidOperationException>(() => bare.JobSlots()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_only_server_is_named()
    {
        var slots = database.Slots(database.With(b => b.Options = "-c default_transaction_read_only=on"));
        Assert.Contains("read-only", (await Assert.ThrowsAsync<InvalidOperationException>(() => slots.TryClaimAsync("job", Midnight, cancellationToken: Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_that_the_role_may_not_see_do_not_make_it_ask_forever()
    {
        var job = NewJob();
        Handle(await database.Slots().TryClaimAsync(job, Midnight, cancellationToken: Token));
        await database.ExecuteAsync(
            """
            create role blind login;
            grant usage on schema efc to blind;
            grant select, insert, update on efc.job_slot to blind;
            alter table efc.job_slot enable row level security;
            create policy writes on efc.job_slot for insert with check (true);
            create policy reads on efc.job_slot for select using (false);
            """);
        try
        {
            var error = await Assert.ThrowsAnyAsync<Exception>(() => database.Slots(database.With(b => b.Username = "blind")).TryClaimAsync(job, Midnight, cancellationToken: Token));
            Assert.Contains("row-level security", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            await database.ExecuteAsync("alter table efc.job_slot disable row level security; drop owned by blind; drop role blind");
        }
    }

    [Fact]
    public async Task A_table_of_another_name_and_schema_is_used_quoted()
    {
        await using var own = await database.CreateDatabaseAsync();
        await using var db = new TenantContext(new DbContextOptionsBuilder<TenantContext>().UseNpgsql(own.ConnectionString).UseEfConcurrency().Options);
        await db.Database.EnsureCreatedAsync(Token);
        var handle = Handle(await db.JobSlots().TryClaimAsync("job", Midnight, new() { MaxRunners = 2 }, Token));
        await handle.CompleteAsync(cancellationToken: Token);
        Assert.Equal(0, await db.JobSlots().DeleteHistoryAsync(null, TimeSpan.Zero, Token));
        Assert.Equal(1, await db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from \"Tenant 1\".\"Job \"\"Slot\"").SingleAsync(Token));
    }

    private async Task RunInTransactionAsync(TestDatabase empty)
    {
        await using var db = database.Open(empty.ConnectionString);
        await db.RunJobSlotOnceAsync("job", Midnight, (_, _, _) => Task.CompletedTask, cancellationToken: Token);
    }

    private sealed class PlainContext(DbContextOptions<PlainContext> options) : DbContext(options);

    private sealed class TenantContext(DbContextOptions<TenantContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.HasJobSlots(o =>
            {
                o.Schema = "Tenant 1";
                o.Table = "Job \"Slot";
            });
    }
}
