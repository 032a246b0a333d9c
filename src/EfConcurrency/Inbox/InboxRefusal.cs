using System.Globalization;
using EfConcurrency.Postgres;
using Npgsql;

namespace EfConcurrency.Inbox;

/// <summary>What the server says when it refuses a save that was to accept messages.</summary>
internal static class InboxRefusal
{
    /// <summary>Whether the table, a column or a partition is not there.</summary>
    public static bool IsMissing(PostgresException error)
        => error.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.InvalidSchemaName;

    /// <summary>The exception for it, or null when it is not about the inbox.</summary>
    public static Exception? Explain(IReadOnlyList<(string Consumer, InboxKey Key)> pending, InboxTable table, Exception exception)
    {
        if (SqlStates.FindPostgresException(exception) is not { } error)
        {
            return null;
        }

        if (Find(error, InboxSql.Duplicate) is [var duplicate, ..])
        {
            var (consumer, key) = pending[int.Parse(duplicate, CultureInfo.InvariantCulture)];
            return new InboxDuplicateException(consumer, key.Text, exception);
        }

        if (Find(error, InboxSql.OutsideWindow) is [var outside, var seconds])
        {
            var (consumer, key) = pending[int.Parse(outside, CultureInfo.InvariantCulture)];
            var now = DateTimeOffset.UnixEpoch.AddSeconds(double.Parse(seconds, CultureInfo.InvariantCulture));
            return new InboxMessageOutsideWindowException(consumer, key.Id, key.SentAt!.Value, now, table.WindowDays, exception);
        }

        return IsMissing(error) && error.MessageText.Contains(table.Name.Replace("\"", "", StringComparison.Ordinal), StringComparison.Ordinal)
            ? InboxTableMissingException.NotInDatabase(table.Name, error)
            : null;
    }

    /// <summary>What follows the word in the text whose cast failed; the server quotes it in whatever language it speaks.</summary>
    private static string[]? Find(PostgresException error, string word)
    {
        var start = error.SqlState == PostgresErrorCodes.InvalidTextRepresentation ? error.MessageText.IndexOf(word, StringComparison.Ordinal) : -1;
        return start < 0 ? null : error.MessageText[(start + word.Length + 1)..].Split('"')[0].Split(' ');
    }
}
