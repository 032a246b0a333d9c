using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Postgres;

/// <summary>The table of an entity class of ours: quoted names from the model, and how values get into its columns.</summary>
internal abstract class MappedTable
{
    private readonly IEntityType _entityType;
    private readonly Dictionary<string, string> _columns;

    protected MappedTable(IEntityType entityType, ISqlGenerationHelper sql)
    {
        var table = entityType.GetTableMappings().Single().Table;
        _entityType = entityType;
        _columns = entityType.GetProperties().ToDictionary(p => p.Name, p => sql.DelimitIdentifier(table.FindColumn(p)!.Name), StringComparer.Ordinal);
        ColumnNames = [.. table.Columns.Select(c => c.Name)];
        BareName = table.Name;
        Name = sql.DelimitIdentifier(table.Name, table.Schema);
    }

    /// <summary>The table, quoted, with its schema.</summary>
    public string Name { get; }

    /// <summary>The table as the catalogue has it, without its schema.</summary>
    public string BareName { get; }

    /// <summary>The columns' names, as the catalogue has them.</summary>
    public string[] ColumnNames { get; }

    /// <summary>The column of a property, quoted.</summary>
    public string this[string property] => _columns[property];

    /// <summary>A parameter that is or could be the value of a column.</summary>
    public SqlParameterValue Value(string property, object? value) => SqlParameterValue.For(_entityType.FindProperty(property)!, value);
}
