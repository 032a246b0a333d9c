using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfConcurrency.Resilience;

/// <summary>
/// Is it safe to run the unit again? EF's own list of transient errors answers another question ("may it work next time?") and
/// says yes to lock timeouts and full disks.
/// </summary>
internal static class ReplayClassifier
{
    /// <summary>Looks through the exceptions that EF wraps around the one that counts.</summary>
    /// <param name="exception">The failure.</param>
    /// <param name="retriedConstraints">Unique constraints whose violation means that another writer came first.</param>
    public static ReplayVerdict Classify(Exception exception, IReadOnlySet<string> retriedConstraints)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case IFinalRefusal { IsFinal: true } or OperationCanceledException or RetryLimitExceededException or CommitOutcomeUnknownException or TimeoutException:
                    return ReplayVerdict.Never;
                case DbUpdateConcurrencyException:
                    return ReplayVerdict.Conflict;
                case PostgresException postgres:
                    return Classify(postgres, retriedConstraints);
                case NpgsqlException { InnerException: IOException or SocketException or null, IsTransient: true }:
                    return ReplayVerdict.ConnectionLost;
            }
        }

        return ReplayVerdict.Never;
    }

    private static ReplayVerdict Classify(PostgresException error, IReadOnlySet<string> retriedConstraints)
        => error.SqlState switch
        {
            PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected => ReplayVerdict.RolledBack,
            PostgresErrorCodes.UniqueViolation when error.ConstraintName is { } name && retriedConstraints.Contains(name) => ReplayVerdict.Conflict,
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
                or PostgresErrorCodes.IdleSessionTimeout or PostgresErrorCodes.TooManyConnections
                => ReplayVerdict.ConnectionLost,
            ['0', '8', ..] => ReplayVerdict.ConnectionLost,
            _ => ReplayVerdict.Never,
        };
}
