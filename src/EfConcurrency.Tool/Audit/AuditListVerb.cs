using System.CommandLine;
using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Database;
using Npgsql;

namespace EfConcurrency.Tool.Audit;

internal sealed class AuditListVerb : Verb
{
    private const int LongestText = 100;

    private readonly Option<int> _count = CountOption.Create();

    public AuditListVerb()
        : base("list", "Who changed what by this tool, when and why; the latest first.")
        => Add(_count);

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        session.Screen.List(
            await ReadAsync(database, session.Arguments.GetValue(_count), cancellationToken),
            "Nobody has changed anything.",
            ("at", a => Human.Time(a.At)),
            ("role", a => a.Role),
            ("operator", a => a.Operator),
            ("verb", a => a.Verb),
            ("target", a => Human.Cut(a.Target, LongestText)),
            ("outcome", a => a.Outcome),
            ("reason", a => Human.Cut(a.Reason, LongestText)),
            ("detail", a => Human.Cut(a.Detail, LongestText)));
        return ExitCode.Ok;
    }

    private static async Task<List<AuditRow>> ReadAsync(OperatorDatabase database, int count, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(AuditSql.List(database.Schema));
        command.Parameters.AddWithValue(count);
        try
        {
            var rows = new List<AuditRow>();
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                rows.Add(new(
                    reader.GetFieldValue<DateTimeOffset>(0),
                    reader.GetString(1),
                    reader.GetString(2),
                    reader.GetString(3),
                    reader.GetString(4),
                    reader.GetString(5),
                    reader.GetString(6),
                    reader.IsDBNull(7) ? null : reader.GetString(7)));
            }

            return rows;
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            throw new EfcException(
                ExitCode.NoTable,
                $"There is no audit table in schema {database.Schema}: the first verb that changes something makes it, or an owner of the schema, with what 'efc audit ddl' prints.",
                error);
        }
    }
}
