using EfConcurrency.JobSlots;
using static EfConcurrency.PostgresTests.JobSlots.SlotDatabase;

namespace EfConcurrency.PostgresTests.JobSlots;

public sealed class HistoryTests(SlotDatabase database) : IClassFixture<SlotDatabase>
{
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_newest_slots_come_first_with_all_there_is_to_know()
    {
        var slots = database.Slots();
        var job = NewJob();
        for (var hour = 0; hour < 4; hour++)
        {
            await Handle(await slots.TryClaimAsync(job, Midnight.AddHours(hour), new() { Info = "me" }, Token)).CompleteAsync($"run {hour}", Token);
        }

        var history = await slots.HistoryAsync(job, 3, Token);

        Assert.Equal(["run 3", "run 2", "run 1"], history.Select(s => s.Outcome));
        Assert.Equal((job, Midnight.AddHours(3), 0, 1L, "me", false), (history[0].Job, history[0].SlotAt, history[0].SlotNo, history[0].Attempt, history[0].ClaimedInfo, history[0].CanReclaim));
        Assert.InRange(history[0].CompletedAt!.Value, history[0].ClaimedAt, history[0].ExpiresAt);
    }

    [Fact]
    public async Task Old_claims_are_deleted_and_young_ones_are_kept()
    {
        var job = NewJob();
        await FillAsync(job, (60, Done: true), (31, Done: true), (29, Done: true), (1, Done: true));

        Assert.Equal(2, await database.Slots().DeleteHistoryAsync(job, Month, Token));

        Assert.Equal([1, 29], await AgesAsync(job));
    }

    [Fact]
    public async Task What_still_runs_is_never_deleted_and_what_has_expired_is()
    {
        var slots = database.Slots();
        var job = NewJob();
        await FillAsync(job, (62, Done: false), (61, Done: false), (60, Done: true), (1, Done: true));
        await database.ExecuteAsync($"update efc.job_slot set expires_at = clock_timestamp() + interval '1 minute' where job = '{job}' and slot_at < clock_timestamp() - interval '61.5 days'");

        Assert.Equal(2, await slots.DeleteHistoryAsync(job, Month, Token));

        Assert.Equal([1, 62], await AgesAsync(job));
    }

    [Fact]
    public async Task An_old_slot_that_was_done_lately_is_kept()
    {
        var job = NewJob();
        await FillAsync(job, (60, Done: true), (1, Done: true));
        await database.ExecuteAsync($"update efc.job_slot set completed_at = clock_timestamp() where job = '{job}'");
        Assert.Equal(0, await database.Slots().DeleteHistoryAsync(job, Month, Token));
    }

    [Fact]
    public async Task The_newest_slot_is_kept_so_that_it_is_not_given_out_again()
    {
        var slots = database.Slots();
        var job = NewJob();
        var schedule = JobSchedule.Every(TimeSpan.FromDays(3650));
        await Handle(await slots.TryClaimAsync(job, schedule, cancellationToken: Token)).CompleteAsync(cancellationToken: Token);

        Assert.Equal(0, await slots.DeleteHistoryAsync(job, TimeSpan.Zero, Token));

        Assert.IsType<JobSlotResult.Completed>(await slots.TryClaimAsync(job, schedule, cancellationToken: Token));
    }

    [Fact]
    public async Task A_long_history_of_all_jobs_goes_in_batches()
    {
        var (one, two) = (NewJob(), NewJob());
        await using var proxy = database.StartProxy();
        var slots = database.Slots(proxy.ConnectionString);
        await slots.HistoryAsync(one, cancellationToken: Token); // opens the connection
        foreach (var job in (string[])[one, two])
        {
            await database.ExecuteAsync(
                $"""
                insert into efc.job_slot (job, slot_at, slot_no, attempt, claimed_by, claimed_at, expires_at, can_reclaim, completed_at)
                select '{job}', t, 0, 1, gen_random_uuid(), t, t, false, t from generate_series(now() - interval '100 days', now() - interval '50 days', interval '50 days' / 1500) t
                """);
        }

        var trips = proxy.CountRoundTrips();
        Assert.Equal(2 * 1500, await slots.DeleteHistoryAsync(null, Month, Token));

        Assert.True(trips.Count >= 1 + (2 * 3), $"{trips.Count} round trips"); // the jobs; 1000, 500 and none of each
        Assert.Equal(2L, await database.ScalarAsync<long>($"select count(*) from efc.job_slot where job in ('{one}', '{two}')"));
    }

    private static string AsOf(int days) => $"clock_timestamp() - interval '{days} days'";

    private async Task FillAsync(string job, params (int Days, bool Done)[] claims)
    {
        foreach (var (days, done) in claims)
        {
            await database.ExecuteAsync(
                $"""
                insert into efc.job_slot (job, slot_at, slot_no, attempt, claimed_by, claimed_at, expires_at, can_reclaim, completed_at)
                values ('{job}', {AsOf(days)}, 0, 1, gen_random_uuid(), {AsOf(days)}, {AsOf(days)}, false, {(done ? AsOf(days) : "null")})
                """);
        }
    }

    private async Task<IEnumerable<int>> AgesAsync(string job)
    {
        var newest = await database.ScalarAsync<DateTime>("select clock_timestamp()");
        return (await database.Slots().HistoryAsync(job, cancellationToken: Token)).Select(s => (int)Math.Round((newest - s.SlotAt.UtcDateTime).TotalDays));
    }
}
