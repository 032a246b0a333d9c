using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Database;
using Npgsql;

namespace EfConcurrency.Tool.Audit;

/// <summary>Who did what, to what, and why: a row that is committed before the deed, and told afterwards what came of it.</summary>
internal sealed class AuditEntry
{
    private readonly OperatorDatabase _database;
    private readonly Screen _screen;
    private readonly long? _id;

    private AuditEntry(OperatorDatabase database, Screen screen, long? id) => (_database, _screen, _id) = (database, screen, id);

    /// <exception cref="EfcException">The table can't be written or made, and is not optional. Nothing was done.</exception>
    public static async Task<AuditEntry> BeginAsync(
        OperatorDatabase database, string verb, string target, string reason, bool isOptional, Screen screen, CancellationToken cancellationToken)
    {
        try
        {
            await AuditTable.EnsureAsync(database, cancellationToken);
            await using var insert = database.Source.CreateCommand(AuditSql.Insert(database.Schema));
            insert.Parameters.AddWithValue($"{Environment.UserName}@{Environment.MachineName}");
            insert.Parameters.AddWithValue(verb);
            insert.Parameters.AddWithValue(target);
            insert.Parameters.AddWithValue(reason);
            return new(database, screen, (long)(await insert.ExecuteScalarAsync(cancellationToken))!);
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.UndefinedColumn)
        {
            if (isOptional)
            {
                screen.Message($"Not audited: {error.MessageText}.");
                return new(database, screen, id: null);
            }

            throw new EfcException(
                error.SqlState == PostgresErrorCodes.InsufficientPrivilege ? ExitCode.NoPermission : ExitCode.NoTable,
                $"The audit table can't be written: {error.MessageText}. 'efc audit ddl' prints what an owner of the schema has to run once; --no-audit acts without. Nothing was done.",
                error);
        }
    }

    /// <summary>Not cancelled: what was done is written down although the caller is in a hurry. Does not fail: the deed is done, or has failed for a reason of its own.</summary>
    public async Task EndAsync(string outcome, string detail)
    {
        if (_id is not { } id)
        {
            return;
        }

        try
        {
            await using var update = _database.Source.CreateCommand(AuditSql.End(_database.Schema));
            update.Parameters.AddWithValue(id);
            update.Parameters.AddWithValue(outcome);
            update.Parameters.AddWithValue(detail);
            await update.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (NpgsqlException failure)
        {
            _screen.Message($"The audit table says 'begun' and not how it ended (row {id}): {(failure as PostgresException)?.MessageText ?? failure.Message}");
        }
    }
}
