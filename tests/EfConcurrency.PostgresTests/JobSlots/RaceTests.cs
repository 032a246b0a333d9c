using EfConcurrency.JobSlots;
using static EfConcurrency.PostgresTests.JobSlots.SlotDatabase;

namespace EfConcurrency.PostgresTests.JobSlots;

/// <summary>16 runners of 4 processes at once, on connections of their own.</summary>
public sealed class RaceTests(SlotDatabase database) : IClassFixture<SlotDatabase>
{
    private const int Runners = 16;
    private const int Slots = 60;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_slot_has_one_winner()
    {
        var job = NewJob();
        var results = await RaceAsync(job, new());
        Assert.All(results, slot => Assert.Single(slot.OfType<JobSlotResult.Claimed>()));
        Assert.All(results, slot => Assert.Equal(Runners - 1, slot.OfType<JobSlotResult.AlreadyClaimed>().Count()));
        Assert.Equal((long)Slots, await database.ScalarAsync<long>($"select count(*) from efc.job_slot where job = '{job}'"));
    }

    [Fact]
    public async Task An_expired_slot_has_one_winner()
    {
        var job = NewJob();
        var options = new JobSlotOptions { Mode = JobSlotMode.AtLeastOnce };
        await RaceAsync(job, options);
        await database.ExpireAsync(job);

        var results = await RaceAsync(job, options);

        Assert.All(results, slot => Assert.Equal(2, Assert.Single(slot.OfType<JobSlotResult.Claimed>()).Handle.Attempt));
        Assert.Equal((long)Slots, await database.ScalarAsync<long>($"select count(*) from efc.job_slot where job = '{job}' and attempt = 2"));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(Runners)]
    public async Task As_many_runners_as_allowed_get_a_slot_and_never_more(int runners)
    {
        var options = new JobSlotOptions { MaxRunners = runners, Mode = JobSlotMode.AtLeastOnce };
        var job = NewJob();
        foreach (var attempt in (long[])[1, 2])
        {
            var results = await RaceAsync(job, options);
            Assert.All(results, slot => Assert.Equal(
                Enumerable.Range(0, runners).Select(no => (no, attempt)),
                slot.OfType<JobSlotResult.Claimed>().Select(c => (c.Handle.SlotNo, c.Handle.Attempt)).Order()));
            await database.ExpireAsync(job);
        }
    }

    [Fact]
    public async Task A_claim_among_several_runners_takes_one_round_trip_in_a_race_too()
    {
        await using var proxy = database.StartProxy();
        var slots = database.Slots(proxy.ConnectionString);
        var job = NewJob();
        await Task.WhenAll(Enumerable.Range(0, Runners).Select(_ => slots.TryClaimAsync(job, Midnight.AddDays(-1), cancellationToken: Token)));

        var trips = proxy.CountRoundTrips();
        for (var slot = 0; slot < Slots; slot++)
        {
            var at = Midnight.AddMinutes(slot);
            await Task.WhenAll(Enumerable.Range(0, Runners).Select(_ => slots.TryClaimAsync(job, at, new() { MaxRunners = 4 }, Token)));
        }

        Assert.Equal(Slots * Runners, trips.Count);
    }

    [Fact]
    public async Task A_place_among_several_runners_is_free_again_when_its_claim_has_expired()
    {
        var slots = database.Slots();
        var job = NewJob();
        var options = new JobSlotOptions { MaxRunners = 3, Mode = JobSlotMode.AtLeastOnce };
        for (var i = 0; i < 3; i++)
        {
            await slots.TryClaimAsync(job, Midnight, options, Token);
        }

        await database.ExecuteAsync($"update efc.job_slot set expires_at = clock_timestamp() where job = '{job}' and slot_no = 1");
        Assert.Equal((1, 2L), Place(Handle(await slots.TryClaimAsync(job, Midnight, options, Token))));
        Assert.IsType<JobSlotResult.AlreadyClaimed>(await slots.TryClaimAsync(job, Midnight, options, Token));
    }

    [Fact]
    public async Task Of_several_runners_the_result_names_the_one_to_wait_for()
    {
        var slots = database.Slots();
        var job = NewJob();
        var first = Handle(await slots.TryClaimAsync(job, Midnight, new() { MaxRunners = 2, LeaseTime = TimeSpan.FromHours(2) }, Token));
        var second = Handle(await slots.TryClaimAsync(job, Midnight, new() { MaxRunners = 2, LeaseTime = TimeSpan.FromHours(1) }, Token));
        Task<JobSlotResult> AskAsync() => slots.TryClaimAsync(job, Midnight, new() { MaxRunners = 2 }, Token);

        Assert.Equal(second.ClaimId, Assert.IsType<JobSlotResult.AlreadyClaimed>(await AskAsync()).ClaimId);
        await second.CompleteAsync(cancellationToken: Token);
        Assert.Equal(first.ClaimId, Assert.IsType<JobSlotResult.AlreadyClaimed>(await AskAsync()).ClaimId);
        await first.CompleteAsync(cancellationToken: Token);
        Assert.Equal(first.ClaimId, Assert.IsType<JobSlotResult.Completed>(await AskAsync()).ClaimId);
    }

    private static (int SlotNo, long Attempt) Place(JobSlotHandle handle) => (handle.SlotNo, handle.Attempt);

    private async Task<List<JobSlotResult[]>> RaceAsync(string job, JobSlotOptions options)
    {
        var processes = Enumerable.Range(0, 4).Select(i => database.SlotsOfProcess($"process {i}")).ToList();
        var results = new List<JobSlotResult[]>();
        for (var slot = 0; slot < Slots; slot++)
        {
            var at = Midnight.AddMinutes(slot);
            var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var runners = Enumerable.Range(0, Runners).Select(async i =>
            {
                await gate.Task;
                return await processes[i % processes.Count].TryClaimAsync(job, at, options, Token);
            }).ToList();
            gate.SetResult();
            results.Add(await Task.WhenAll(runners));
        }

        return results;
    }
}
