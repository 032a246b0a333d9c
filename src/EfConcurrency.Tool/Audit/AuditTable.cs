using EfConcurrency.Tool.Database;

namespace EfConcurrency.Tool.Audit;

/// <summary>The audit table is the tool's own: it is made by the first verb that changes something, where the role may do that.</summary>
internal static class AuditTable
{
    public const string Name = "operator_action";

    public static async Task EnsureAsync(OperatorDatabase database, CancellationToken cancellationToken)
    {
        await using var exists = database.Source.CreateCommand(AuditSql.Exists);
        exists.Parameters.AddWithValue(AuditSql.TableName(database.Schema));
        if (!(bool)(await exists.ExecuteScalarAsync(cancellationToken))!)
        {
            await using var create = database.Source.CreateCommand(AuditSql.Create(database.Schema));
            await create.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
