using System.Data.Common;
using EfConcurrency.Tool.Database;
using Npgsql;

namespace EfConcurrency.Tool.Doctor;

/// <summary>The database that is looked at, on one connection.</summary>
internal sealed class Patient(OperatorDatabase database, NpgsqlConnection connection, DoctorLimits limits)
{
    public OperatorDatabase Database => database;

    public LibraryTables Tables => database.Tables;

    public NpgsqlConnection Connection => connection;

    public DoctorLimits Limits => limits;

    /// <summary>A table of the library, quoted.</summary>
    public string Table(string name) => SqlName.Of(database.Schema, name);

    public async Task<IReadOnlyList<T>> RowsAsync<T>(string sql, Func<DbDataReader, T> read, CancellationToken cancellationToken, params object[] parameters)
    {
        var rows = new List<T>();
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in parameters)
        {
            command.Parameters.Add(new() { Value = value });
        }

        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}
