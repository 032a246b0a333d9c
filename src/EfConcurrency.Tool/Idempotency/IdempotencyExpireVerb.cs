using EfConcurrency.Idempotency;
using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Idempotency;

internal sealed class IdempotencyExpireVerb() : ChangingVerb<ExpirePlan>("expire", "Forgets the keys whose time is over, as the application's cleanup does.")
{
    protected override async Task<ExpirePlan> PlanAsync(Session session, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        var now = await database.ClockAsync(cancellationToken);
        return new(await database.Context.Set<IdempotencyRecord>().CountAsync(
            r => r.ExpiresAt < now
                && (r.State == IdempotencyState.Completed || (r.State == IdempotencyState.InProgress && (r.LockedUntil == null || r.LockedUntil < now))),
            cancellationToken));
    }

    protected override string Target(ExpirePlan plan) => "expired";

    protected override IEnumerable<string> Describe(ExpirePlan plan) =>
    [
        $"Expired: {Human.Count(plan.Count, "key")}.",
        "A forgotten key that comes again is a new one, and its operation runs again. What is being worked on, or needs resolution, stays.",
    ];

    protected override async Task<string> ApplyAsync(Session session, ExpirePlan plan, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        return $"Forgotten: {Human.Count(await database.Context.Idempotency().DeleteExpiredAsync(cancellationToken), "key")}.";
    }
}
