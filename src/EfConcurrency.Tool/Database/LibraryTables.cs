using EfConcurrency.Tool.Cli;
using Npgsql;

namespace EfConcurrency.Tool.Database;

/// <summary>Which of the library's tables the schema has, by their default names, and which of them the role may read.</summary>
internal sealed class LibraryTables
{
    public const string Lease = "lease";
    public const string JobSlot = "job_slot";
    public const string IdempotencyKey = "idempotency_key";
    public const string Inbox = "inbox";
    public const string Outbox = "outbox";
    public const string OutboxCursor = "outbox_cursor";
    public const string OutboxPending = "outbox_pending";
    public const string OutboxOwner = "outbox_owner";
    public const string AdvisoryLockName = "advisory_lock_name";

    private static readonly string[] Known = [Lease, JobSlot, IdempotencyKey, Inbox, Outbox, OutboxCursor, OutboxPending, OutboxOwner, AdvisoryLockName];

    private readonly Dictionary<string, bool> _isReadable;
    private readonly string _schema;

    private LibraryTables(string schema, Dictionary<string, bool> isReadable) => (_schema, _isReadable) = (schema, isReadable);

    /// <summary>Whether there is any.</summary>
    public bool Any => _isReadable.Count > 0;

    public static async Task<LibraryTables> ReadAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        var tables = new Dictionary<string, bool>(StringComparer.Ordinal);
        await using var command = new NpgsqlCommand(DatabaseSql.Tables, connection) { Parameters = { new() { Value = schema } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (Known.Contains(reader.GetString(0)))
            {
                tables[reader.GetString(0)] = reader.GetBoolean(1);
            }
        }

        return new(schema, tables);
    }

    public bool Has(string table) => _isReadable.ContainsKey(table);

    public bool CanRead(string table) => _isReadable.GetValueOrDefault(table);

    /// <exception cref="EfcException">The schema has none of the library's tables.</exception>
    public void RequireAny()
    {
        if (!Any)
        {
            throw new EfcException(
                ExitCode.NoTable,
                $"Schema {_schema} has no table of EfConcurrency. Is this the right database, and is its migration applied? --schema names another schema.");
        }
    }

    /// <exception cref="EfcException">The role may not read a table that is there.</exception>
    public void RequireReadable()
    {
        var closed = _isReadable.Where(t => !t.Value).Select(t => t.Key).Order(StringComparer.Ordinal).ToList();
        if (closed.Count > 0)
        {
            throw new EfcException(
                ExitCode.NoPermission,
                $"The role may not read {string.Join(", ", closed.Select(t => $"{_schema}.{t}"))}. Run: grant usage on schema {_schema} to the role, and grant select on all tables in schema {_schema} to it.");
        }
    }
}
