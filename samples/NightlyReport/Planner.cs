using EfConcurrency.Fencing;
using EfConcurrency.Leases;
using Microsoft.EntityFrameworkCore;

namespace NightlyReport;

/// <summary>A worker: one run of the nightly job. What it does, it says on its output.</summary>
internal sealed class Planner(string connectionString, string name, bool isFenced)
{
    /// <summary>Exit code of a worker whose save was refused.</summary>
    public const int Refused = 3;

    /// <summary>Between reading and writing; long enough to be frozen in.</summary>
    private static readonly TimeSpan Computing = TimeSpan.FromMilliseconds(700);

    /// <summary>Kept short for the demo, and not renewed: like a lock that was set with a time to live.</summary>
    private static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(2);

    public async Task<int> RunAsync()
    {
        await using var db = PlanningDatabase.Open(connectionString, isFenced);
        await using var lease = await db.Leases().AcquireAsync(
            PlanningContext.Job,
            TimeSpan.FromSeconds(20),
            new LeaseOptions { TimeToLive = TimeToLive, KeepAlive = false, HolderInfo = name, PollInterval = TimeSpan.FromMilliseconds(100) });
        Say($"holds the lock for {TimeToLive.TotalSeconds} s (fencing token {lease.FencingToken})");

        // The one line that makes the difference.
        using var scope = isFenced ? db.UseLease(lease) : null;

        var demands = await db.Demands.OrderBy(d => d.Id).ToListAsync();
        Say($"has read {demands.Count} demands, computes");
        await Task.Delay(Computing);

        foreach (var demand in demands)
        {
            db.Add(new PurchaseOrder { Part = demand.Part, Quantity = demand.Quantity, OrderedBy = name });
        }

        var report = await db.Reports.SingleOrDefaultAsync(r => r.Id == 1) ?? db.Add(new Report { Id = 1 }).Entity;
        report.Orders = demands.Count;
        report.WrittenBy = name;

        try
        {
            await db.SaveChangesAsync();
            Say($"has written {demands.Count} orders and the report");
            return 0;
        }
        catch (FencingTokenRejectedException rejected)
        {
            Say($"was refused by the database: {rejected.Message}");
            Say($"fenced: {rejected.Resource}, own token {rejected.Token}, current token {rejected.CurrentToken}, by {rejected.CurrentHolder}");
            return Refused;
        }
    }

    private static void Say(string what) => Console.WriteLine(what);
}
