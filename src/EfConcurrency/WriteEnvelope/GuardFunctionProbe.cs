using System.Collections.Concurrent;
using System.Data.Common;
using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfConcurrency.WriteEnvelope;

/// <summary>
/// Knows, for each database, whether the guard function is there. Asked once per database; "no" is asked again after a minute,
/// because a migration may have come. A singleton of EF's internal provider.
/// </summary>
internal sealed class GuardFunctionProbe(EnvelopeOptions options, TimeProvider time)
{
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Answer> _answers = new(StringComparer.Ordinal);

    /// <summary>Whether the options allow the server to judge.</summary>
    public bool IsWanted => options.ServerJudged == ServerJudgedSaves.WhenAvailable;

    /// <summary>Above this many statements, the round trip that is saved is worth less than what judging each of them costs.</summary>
    public int MaxStatements => options.MaxJudgedStatements;

    /// <summary>Whether the function is there. With <paramref name="async"/> false the task is complete on return.</summary>
    public async ValueTask<bool> IsAvailableAsync(IRelationalConnection connection, bool async, CancellationToken cancellationToken)
    {
        if (Remembered(connection) is { } known)
        {
            return known;
        }

        _ = async ? await connection.OpenAsync(cancellationToken).ConfigureAwait(false) : connection.Open();
        try
        {
            var command = Command(connection);
            await using (command.ConfigureAwait(false))
            {
                return Remember(connection, async ? await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) : command.ExecuteScalar());
            }
        }
        finally
        {
            _ = async ? await connection.CloseAsync().ConfigureAwait(false) : connection.Close();
        }
    }

    /// <summary>
    /// Whether a save that the server judged may be repeated with EF as the judge: the server refused a row, so that EF finds the
    /// same and reports it in its own way (entries, interceptors), or the function is gone. Nothing was written in either case.
    /// </summary>
    public bool CanEfJudgeInstead(IRelationalConnection connection, Exception exception)
    {
        switch (SqlStates.FindPostgresException(exception)?.SqlState)
        {
            case SqlStates.RowCheckFailed:
                return true;
            case PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.InsufficientPrivilege:
                _answers[Key(connection)] = new(false, time.GetTimestamp());
                return true;
            default:
                return false;
        }
    }

    private static string Key(IRelationalConnection connection) => connection.ConnectionString ?? connection.DbConnection.ConnectionString;

    private bool? Remembered(IRelationalConnection connection)
        => _answers.TryGetValue(Key(connection), out var answer) && (answer.IsAvailable || time.GetElapsedTime(answer.AskedAt) < AskAgainAfter)
            ? answer.IsAvailable
            : null;

    private DbCommand Command(IRelationalConnection connection)
    {
        var command = connection.DbConnection.CreateCommand();
        command.CommandText = WriteEnvelopeSql.ProbeGuardFunction;
        command.Parameters.Add(new NpgsqlParameter("schema", options.GuardSchemaName));
        command.Parameters.Add(new NpgsqlParameter("name", WriteEnvelopeSql.GuardFunction));
        return command;
    }

    private bool Remember(IRelationalConnection connection, object? result)
    {
        var isAvailable = result is true;
        _answers[Key(connection)] = new(isAvailable, time.GetTimestamp());
        return isAvailable;
    }

    private sealed record Answer(bool IsAvailable, long AskedAt);
}
