using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Postgres;

/// <summary>Where an entity type keeps one of its properties, and how its rows are found there: quoted names, from the model.</summary>
internal sealed class PropertyTable
{
    private PropertyTable(string name, string column, string[] keys, IReadOnlyList<IProperty> keyProperties)
    {
        Name = name;
        Column = column;
        Keys = keys;
        KeyProperties = keyProperties;
    }

    /// <summary>The table, quoted, with its schema.</summary>
    public string Name { get; }

    /// <summary>The column of the property, quoted.</summary>
    public string Column { get; }

    /// <summary>The key columns, quoted, in the order of <see cref="KeyProperties"/>.</summary>
    public string[] Keys { get; }

    public IReadOnlyList<IProperty> KeyProperties { get; }

    /// <summary>
    /// The table of <paramref name="entityType"/> that holds the property. With table-per-type this is the table of the type that
    /// declares it; with table-per-concrete-type, the entity type's own.
    /// </summary>
    /// <param name="sql">Quotes identifiers.</param>
    /// <param name="entityType">The entity type.</param>
    /// <param name="property">Its property.</param>
    /// <param name="keyProperties">The key by which rows are found; default: the primary key.</param>
    /// <exception cref="InvalidOperationException">The type has no table of its own (an abstract type mapped table per concrete type).</exception>
    public static PropertyTable Of(ISqlGenerationHelper sql, IEntityType entityType, IProperty property, IReadOnlyList<IProperty>? keyProperties = null)
    {
        keyProperties ??= entityType.FindPrimaryKey()!.Properties;
        var table = entityType.GetTableMappings().Select(m => m.Table).FirstOrDefault(t => t.FindColumn(property) is not null)
            ?? throw new InvalidOperationException(
                $"'{entityType.DisplayName()}' has no table that holds '{property.Name}': with table-per-concrete-type mapping, only a concrete type has one. "
                + "Load the entity, so that its type is known.");

        return new(
            sql.DelimitIdentifier(table.Name, table.Schema),
            sql.DelimitIdentifier(table.FindColumn(property)!.Name),
            [.. keyProperties.Select(k => sql.DelimitIdentifier(table.FindColumn(k)!.Name))],
            keyProperties);
    }
}
