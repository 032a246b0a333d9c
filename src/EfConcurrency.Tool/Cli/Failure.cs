using System.Net.Sockets;
using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Idempotency;
using EfConcurrency.Inbox;
using EfConcurrency.JobSlots;
using EfConcurrency.Leases;
using EfConcurrency.Outbox;
using Npgsql;

namespace EfConcurrency.Tool.Cli;

/// <summary>What an exception means to the caller: a line on stderr and an exit code.</summary>
internal static class Failure
{
    public static (int ExitCode, string Message) Of(Exception exception, string schema) => exception switch
    {
        EfcException known => (known.ExitCode, known.Message),
        OperationCanceledException => (ExitCode.Interrupted, "Interrupted."),
        AdvisoryLockPermissionException => (ExitCode.NoPermission, exception.Message),
        LeaseTableMissingException or IdempotencyTableMissingException or InboxTableMissingException or OutboxTableMissingException or JobSlotTableMissingException
            => (ExitCode.NoTable, $"{exception.Message} (efc looked in schema {schema}; --schema names another.)"),
        LeaseNotAcquiredException => (ExitCode.Changed, exception.Message),
        _ => Find<PostgresException>(exception) is { } error ? OfServer(error, schema)
            : Find<NpgsqlException>(exception) is { } unreachable ? (ExitCode.NoConnection, $"The server can't be reached: {Reason(unreachable)}")
            : Find<SocketException>(exception) is { } socket ? (ExitCode.NoConnection, $"The server can't be reached: {socket.Message}")
            : (ExitCode.Defect, $"efc failed: {exception.GetType().Name}: {exception.Message}"),
    };

    private static (int ExitCode, string Message) OfServer(PostgresException error, string schema) => error.SqlState switch
    {
        PostgresErrorCodes.InsufficientPrivilege => (ExitCode.NoPermission, $"The role may not do this: {error.MessageText}. 'efc doctor' lists the grants that are missing."),
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.InvalidSchemaName
            => (ExitCode.NoTable, $"{error.MessageText}. Is this the right database, and is its migration applied? efc looked in schema {schema}; --schema names another."),
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => (ExitCode.NoConnection, $"The server refused the login: {error.MessageText}."),
        PostgresErrorCodes.InvalidCatalogName => (ExitCode.NoConnection, $"The server has no such database: {error.MessageText}."),
        PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
            => (ExitCode.NoConnection, $"The server takes no connection now: {error.MessageText}."),
        PostgresErrorCodes.ReadOnlySqlTransaction => (ExitCode.NoConnection, "The server is read-only (a standby?). Connect to the primary for verbs that change something."),
        _ => (ExitCode.Defect, $"The server refused the statement: {error.SqlState} {error.MessageText}."),
    };

    private static string Reason(NpgsqlException exception)
        => Find<SocketException>(exception) is { } socket ? socket.Message
            : exception.InnerException is TimeoutException ? "no answer in time."
            : exception.Message;

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is T found)
            {
                return found;
            }
        }

        return null;
    }
}
