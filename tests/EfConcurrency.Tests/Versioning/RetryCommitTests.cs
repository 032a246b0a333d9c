using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.Tests.Versioning;

/// <summary>Which failures leave open what became of a write.</summary>
public sealed class RetryCommitTests
{
    public static TheoryData<Exception, bool> Failures => new()
    {
        { new NpgsqlException("read", new IOException("reset")), true },
        { new NpgsqlException("read", new TimeoutException()), true },
        { new DbUpdateException("save", new NpgsqlException("read", new IOException("reset"))), true },
        { Error("57P01", "FATAL"), true }, // may come while a commit waits for a standby
        { Error("XX000", "PANIC"), true }, // an error after the commit record was written
        { Error("08006", "ERROR"), true }, // a pooler between us and the server
        { Error("40001", "ERROR"), false },
        { Error("23505", "ERROR"), false }, // a deferred constraint
        { new DbUpdateConcurrencyException("stale"), false },
        { new InvalidOperationException("bug"), false },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void Only_an_error_that_the_server_reports_and_survives_says_that_nothing_was_written(Exception failure, bool isOpen)
        => Assert.Equal(isOpen, RetryCommit.SaysNothingAboutWrites(failure));

    private static PostgresException Error(string sqlState, string severity) => new("message", severity, severity, sqlState);
}
