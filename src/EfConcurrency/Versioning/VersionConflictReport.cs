using System.Data.Common;
using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.Versioning;

/// <summary>
/// Finds out which rows of a refused save are stale: one query a table, for all rows of the save that carry a version.
/// EF names the first row only, so that whoever resolves one conflict meets the next (dotnet/efcore#1002).
/// </summary>
internal sealed class VersionConflictReport(DbContext context)
{
    private readonly List<VersionConflict> _conflicts = [];
    private readonly List<IUpdateEntry> _entries = [];

    public IReadOnlyList<VersionConflict> Conflicts => _conflicts;

    public IReadOnlyList<IUpdateEntry> Entries => _entries;

    /// <summary>Reads the versions of <paramref name="entries"/> on the context's connection, in its transaction.</summary>
    public async ValueTask ReadAsync(IEnumerable<IUpdateEntry> entries, bool async, CancellationToken cancellationToken)
    {
        var sql = context.GetService<ISqlGenerationHelper>();
        if (async)
        {
            await context.Database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        else
        {
            context.Database.OpenConnection();
        }

        try
        {
            await ReadAsync(entries, (text, parameters) => ContextCommand.Create(context, text, parameters), sql, async, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (async)
            {
                await context.Database.CloseConnectionAsync().ConfigureAwait(false);
            }
            else
            {
                context.Database.CloseConnection();
            }
        }
    }

    /// <summary>
    /// Reads the versions on a connection of its own: after an error that aborted the context's transaction nothing can be read in it.
    /// </summary>
    public async ValueTask ReadOutsideTransactionAsync(IEnumerable<IUpdateEntry> entries, bool async, CancellationToken cancellationToken)
    {
        var sql = context.GetService<ISqlGenerationHelper>();
        var connection = (DbConnection)((ICloneable)context.Database.GetDbConnection()).Clone();
        await using (connection.ConfigureAwait(false))
        {
            if (async)
            {
                await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            }
            else
            {
                connection.Open();
            }

            await ReadAsync(entries, (text, parameters) => ContextCommand.Create(connection, text, parameters), sql, async, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask ReadAsync(
        IEnumerable<IUpdateEntry> entries,
        Func<string, IReadOnlyList<SqlParameterValue>, DbCommand> create,
        ISqlGenerationHelper sql,
        bool async,
        CancellationToken cancellationToken)
    {
        foreach (var group in entries.GroupBy(e => e.EntityType))
        {
            var version = VersionColumn.Find(group.Key)!;
            var table = VersionTable.Of(sql, group.Key, version.Property);
            var rows = group.ToList();
            var parameters = rows
                .SelectMany(row => VersionKeys.Values(row).Select((value, i) => SqlParameterValue.For(table.KeyProperties[i], value)))
                .ToList();

            var command = create(VersioningSql.ReadVersions(table, rows.Count), parameters);
            await using (command.ConfigureAwait(false))
            {
                Compare(rows, version, await ActualAsync(command, version, async, cancellationToken).ConfigureAwait(false));
            }
        }
    }

    private static async ValueTask<Dictionary<int, object>> ActualAsync(DbCommand command, VersionColumn version, bool async, CancellationToken cancellationToken)
    {
        var actual = new Dictionary<int, object>();
        var reader = async ? await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false) : command.ExecuteReader();
        await using (reader.ConfigureAwait(false))
        {
            while (async ? await reader.ReadAsync(cancellationToken).ConfigureAwait(false) : reader.Read())
            {
                actual[reader.GetInt32(0)] = version.FromStore(reader.GetValue(1));
            }
        }

        return actual;
    }

    private void Compare(List<IUpdateEntry> rows, VersionColumn version, Dictionary<int, object> actual)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            var entry = rows[i];
            var key = VersionKeys.Of(entry.EntityType.FindPrimaryKey()!.Properties, VersionKeys.Values(entry));
            var expected = entry.GetOriginalValue(version.Property);
            var changed = entry.EntityType.GetProperties().Where(p => p != version.Property && entry.IsModified(p)).Select(p => p.Name).ToList();

            if (!actual.TryGetValue(i, out var found))
            {
                Add(entry, VersionConflict.Deleted(entry.EntityType, key, expected, changed));
            }
            else if (!version.Property.GetValueComparer().Equals(expected, found))
            {
                Add(entry, VersionConflict.Stale(entry.EntityType, key, expected, found, changed));
            }
        }
    }

    private void Add(IUpdateEntry entry, VersionConflict conflict)
    {
        _entries.Add(entry);
        _conflicts.Add(conflict);
    }
}
