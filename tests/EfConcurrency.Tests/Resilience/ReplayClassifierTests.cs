using EfConcurrency.Resilience;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfConcurrency.Tests.Resilience;

/// <summary>The table is the specification.</summary>
public sealed class ReplayClassifierTests
{
    public static TheoryData<string, string> SqlStates => new()
    {
        { "40001", nameof(ReplayVerdict.RolledBack) },
        { "40P01", nameof(ReplayVerdict.RolledBack) },
        { "08000", nameof(ReplayVerdict.ConnectionLost) },
        { "08006", nameof(ReplayVerdict.ConnectionLost) },
        { "57P01", nameof(ReplayVerdict.ConnectionLost) },
        { "57P02", nameof(ReplayVerdict.ConnectionLost) },
        { "57P03", nameof(ReplayVerdict.ConnectionLost) },
        { "57P04", nameof(ReplayVerdict.Never) }, // the database was dropped
        { "57P05", nameof(ReplayVerdict.ConnectionLost) }, // the pool's connection was idle for too long
        { "25P03", nameof(ReplayVerdict.Never) }, // the unit itself was idle for too long
        { "53300", nameof(ReplayVerdict.ConnectionLost) },
        { "55P03", nameof(ReplayVerdict.Never) }, // lock not available: Npgsql calls it transient
        { "53100", nameof(ReplayVerdict.Never) }, // disk full: Npgsql calls it transient
        { "57014", nameof(ReplayVerdict.Never) }, // cancelled, or statement timeout
        { "25P02", nameof(ReplayVerdict.Never) }, // the first error of the transaction counts
        { "23505", nameof(ReplayVerdict.Never) },
        { "23503", nameof(ReplayVerdict.Never) },
        { "42P01", nameof(ReplayVerdict.Never) },
    };

    [Theory]
    [MemberData(nameof(SqlStates))]
    public void Every_error_of_the_server_has_a_verdict_however_EF_wraps_it(string sqlState, string verdict)
    {
        var error = Error(sqlState);
        foreach (var exception in (Exception[])[error, new DbUpdateException("save", error), new InvalidOperationException("transient", new DbUpdateException("save", error))])
        {
            Assert.Equal(verdict, Classify(exception).ToString());
        }
    }

    [Fact]
    public void A_conflict_may_be_repeated()
        => Assert.Equal(ReplayVerdict.Conflict, Classify(new DbUpdateConcurrencyException("stale")));

    [Fact]
    public void A_unique_violation_may_be_repeated_only_when_its_constraint_is_named()
    {
        var error = Error("23505", constraint: "ix_order_number");
        Assert.Equal(ReplayVerdict.Never, ReplayClassifier.Classify(error, new HashSet<string> { "ix_other" }));
        Assert.Equal(ReplayVerdict.Conflict, ReplayClassifier.Classify(error, new HashSet<string> { "ix_order_number" }));
    }

    [Fact]
    public void A_lost_connection_may_be_repeated()
        => Assert.Equal(ReplayVerdict.ConnectionLost, Classify(new NpgsqlException("read", new IOException("reset"))));

    public static TheoryData<Exception> Final =>
    [
        new OperationCanceledException(),
        new TimeoutException(),
        new NpgsqlException("timeout", new TimeoutException()),
        new RetryLimitExceededException("limit", Error("40001")),
        new RetryNotPossibleException("no"),
        new AfterCommitException(new DbUpdateConcurrencyException("in a callback")),
        new CommitOutcomeUnknownException("unknown", "1", Error("40001")),
        new ArgumentException("bug"),
    ];

    [Theory]
    [MemberData(nameof(Final))]
    public void Nothing_else_is_repeated(Exception exception) => Assert.Equal(ReplayVerdict.Never, Classify(exception));

    private static ReplayVerdict Classify(Exception exception) => ReplayClassifier.Classify(exception, new HashSet<string>());

    private static PostgresException Error(string sqlState, string? constraint = null)
        => new("message", "ERROR", "ERROR", sqlState, constraintName: constraint);
}
