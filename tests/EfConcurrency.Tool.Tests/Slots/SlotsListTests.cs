using EfConcurrency.JobSlots;
using EfConcurrency.Tool.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Tests.Slots;

public sealed class SlotsListTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Slots_are_listed_with_what_became_of_them()
    {
        await using var db = database.Open();
        var slots = db.JobSlots();
        await ((JobSlotResult.Claimed)await slots.TryClaimAsync("report", Noon, cancellationToken: Token)).Handle.CompleteAsync("7 sent", Token);
        await slots.TryClaimAsync("report", Noon.AddHours(1), new() { Info = "web-1" }, Token);
        await slots.TryClaimAsync("report", Noon.AddHours(2), cancellationToken: Token);
        await slots.TryClaimAsync("mail", Noon.AddHours(3), new() { Mode = JobSlotMode.AtLeastOnce }, Token);
        await database.ExecuteAsync("update efc.job_slot set expires_at = clock_timestamp() - interval '1 s' where slot_at >= '2026-11-20 14:00Z'");

        var all = (await Efc.RunAsync(database.ConnectionString, "slots", "list", "-o", "json")).Expect(0).Json.EnumerateArray().ToList();
        Assert.Equal(["abandoned", "late", "running", "completed"], all.Select(s => s.GetProperty("state").GetString()));
        Assert.Equal("web-1", all[2].GetProperty("claimedBy").GetString());
        var report = (await Efc.RunAsync(database.ConnectionString, "slots", "list", "--job", "report", "--count", "2")).Expect(0);
        Assert.Equal(3, report.Lines.Length);
        Assert.Contains("late", report.Lines[1], StringComparison.Ordinal);
        Assert.Contains("2026-11-20 13:00:00Z", report.Lines[2], StringComparison.Ordinal);
    }
}
