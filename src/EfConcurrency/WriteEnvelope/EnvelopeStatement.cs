#pragma warning disable EF1001 // IReadOnlyModificationCommand is how a statement takes part in EF's batch; ColumnModification carries its parameters.
using System.Data.Common;
using System.Globalization;
using System.Text;
using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.WriteEnvelope;

/// <summary>
/// A statement of ours in EF's batch. It must return exactly one row when all is well; no row means that it refuses the save.
/// </summary>
internal sealed class EnvelopeStatement : IReadOnlyModificationCommand
{
    private readonly string _sql;
    private readonly Func<Exception>? _refusal;
    private readonly Action<DbDataReader>? _onRow;

    /// <summary>Creates a statement.</summary>
    /// <param name="sql">SQL with <c>{0}</c>, <c>{1}</c> … for the parameters, without a terminator.</param>
    /// <param name="parameters">The parameters in order.</param>
    /// <param name="refusal">What to throw when no row comes back; null when the statement always returns one.</param>
    /// <param name="onRow">Receives the row.</param>
    public EnvelopeStatement(string sql, IReadOnlyList<SqlParameterValue> parameters, Func<Exception>? refusal = null, Action<DbDataReader>? onRow = null)
    {
        _sql = sql;
        _refusal = refusal;
        _onRow = onRow;
        ColumnModifications = [.. parameters.Select((p, i) => Parameter(p, () => string.Create(CultureInfo.InvariantCulture, $"efc{Number}_{i}")))];
    }

    /// <summary>Position among our statements of the save; keeps parameter names apart.</summary>
    public int Number { get; set; }

    public bool IsChecked => _refusal is not null;

    public ITable? Table => null;

    public IStoreStoredProcedure? StoreStoredProcedure => null;

    public string TableName => "efconcurrency";

    public string? Schema => null;

    public IReadOnlyList<IColumnModification> ColumnModifications { get; }

    public IReadOnlyList<IUpdateEntry> Entries => [];

    public EntityState EntityState => EntityState.Modified;

    public IColumnBase? RowsAffectedColumn => null;

    public void PropagateResults(RelationalDataReader relationalReader) => _onRow?.Invoke(relationalReader.DbDataReader);

    public void PropagateOutputParameters(DbParameterCollection parameterCollection, int baseParameterIndex)
    {
    }

    public void AppendSql(StringBuilder sql, ISqlGenerationHelper helper)
        => sql.AppendFormat(
                CultureInfo.InvariantCulture,
                _sql,
                [.. ColumnModifications.Select(c => helper.GenerateParameterNamePlaceholder(c.ParameterName!))])
            .AppendLine(helper.StatementTerminator);

    /// <summary>The exception for a statement that returned no row.</summary>
    public Exception Refuse()
        => _refusal?.Invoke() ?? new DbUpdateException($"A statement of the write envelope returned no row: {_sql}");

    private static ColumnModification Parameter(SqlParameterValue parameter, Func<string> name)
        => new(new ColumnModificationParameters(
            "efc", null, parameter.Value, null, null, parameter.Mapping, read: false, write: true, key: false, condition: false, sensitiveLoggingEnabled: false)
        {
            GenerateParameterName = name,
        });
}
