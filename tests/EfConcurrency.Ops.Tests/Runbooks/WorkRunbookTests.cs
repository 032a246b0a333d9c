using EfConcurrency.Ops.Tests.Runbooks.Incidents;

namespace EfConcurrency.Ops.Tests.Runbooks;

/// <summary>The pages about saves, locks, leases, job slots and idempotency keys.</summary>
public sealed class WorkRunbookTests(IncidentDatabases databases) : RunbookTests(databases), IClassFixture<IncidentDatabases>
{
    internal static readonly Dictionary<string, Func<Incident>> Incidents = new(StringComparer.Ordinal)
    {
        ["EfConcurrencyCommitOutcomeUnknown"] = static () => new NothingHeld(),
        ["EfConcurrencyIdempotencyClaimsLost"] = static () => new StuckKey(),
        ["EfConcurrencyIdempotencyNeedsResolution"] = static () => new StuckKey(),
        ["EfConcurrencyIdempotencyStuck"] = static () => new StuckKey(),
        ["EfConcurrencyJobSlotLate"] = static () => new LateSlot(),
        ["EfConcurrencyLeaderMissing"] = static () => new OrphanedLease(),
        ["EfConcurrencyLeasesLost"] = static () => new OrphanedLease(),
        ["EfConcurrencyLockHeldTooLong"] = static () => new HeldLock(),
        ["EfConcurrencyLockStuck"] = static () => new HeldLock(),
        ["EfConcurrencyLockTimeoutsHigh"] = static () => new HeldLock(),
        ["EfConcurrencyRetriesExhausted"] = static () => new NothingHeld(),
        ["EfConcurrencySessionLockLost"] = static () => new HeldLock(),
        ["EfConcurrencyStaleFencingTokenRejected"] = static () => new OrphanedLease(),
    };

    public static TheoryData<string> Pages => [.. Incidents.Keys];

    [Theory]
    [MemberData(nameof(Pages))]
    public Task The_commands_of_a_page_do_what_it_says(string name) => FollowAsync(name, Incidents[name]);
}
