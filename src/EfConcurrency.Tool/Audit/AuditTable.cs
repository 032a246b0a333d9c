using EfConcurrency.Tool.Database;
using Npgsql;

namespace EfConcurrency.Tool.Audit;

/// <summary>The audit table is the tool's own: it is made by the first verb that changes something, where the role may do that.</summary>
internal static class AuditTable
{
    public const string Name = "operator_action";

    public static async Task EnsureAsync(OperatorDatabase database, CancellationToken cancellationToken)
    {
        // Asked first: CREATE TABLE IF NOT EXISTS wants the right to create also where the table exists.
        await using var exists = database.Source.CreateCommand(AuditSql.Exists);
        exists.Parameters.AddWithValue(AuditSql.TableName(database.Schema));
        if ((bool)(await exists.ExecuteScalarAsync(cancellationToken))!)
        {
            return;
        }

        try
        {
            await using var create = database.Source.CreateCommand(AuditSql.Create(database.Schema));
            await create.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DuplicateTable or PostgresErrorCodes.DuplicateObject)
        {
            // IF NOT EXISTS does not see what is not committed yet: another call made it at the same time. It has committed, or there would be no such error.
        }
    }
}
