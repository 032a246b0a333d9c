using Npgsql;

namespace EfConcurrency.Postgres;

/// <summary>SQLSTATEs the library raises itself. Class "EF" is used neither by PostgreSQL nor by the SQL standard.</summary>
internal static class SqlStates
{
    /// <summary>Raised when a fencing token is stale.</summary>
    public const string FencingTokenRejected = "EFC01";

    /// <summary>Raised by the guard function when a checked statement matched no row. Known to Npgsql as non-transient.</summary>
    public const string RowCheckFailed = "EFC02";

    /// <summary>Raised when a write to fenced rows carries no fencing token.</summary>
    public const string FencingTokenRequired = "EFC03";

    /// <summary>The PostgreSQL error in the chain of inner exceptions, or null.</summary>
    public static PostgresException? FindPostgresException(Exception? exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e is PostgresException postgres)
            {
                return postgres;
            }
        }

        return null;
    }
}
