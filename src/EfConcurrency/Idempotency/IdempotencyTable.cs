using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Idempotency;

/// <summary>The table of idempotency keys: quoted names from the model, and the statements made with them. Cached on the model.</summary>
internal sealed class IdempotencyTable
{
    private const string Annotation = "EfConcurrency:IdempotencyTable";

    private readonly IEntityType _entityType;
    private readonly Dictionary<string, string> _columns;

    private IdempotencyTable(IEntityType entityType, ISqlGenerationHelper sql)
    {
        var table = entityType.GetTableMappings().Single().Table;
        _entityType = entityType;
        _columns = entityType.GetProperties().ToDictionary(p => p.Name, p => sql.DelimitIdentifier(table.FindColumn(p)!.Name), StringComparer.Ordinal);
        Name = sql.DelimitIdentifier(table.Name, table.Schema);
        BareName = table.Name;
        PrimaryKey = entityType.FindPrimaryKey()!.GetName()!;
        Sql = new(this);
        AdminSql = new(this);
    }

    /// <summary>The table, quoted, with its schema.</summary>
    public string Name { get; }

    /// <summary>The table as the catalogue has it, without its schema.</summary>
    public string BareName { get; }

    /// <summary>Name of the constraint that a second claim violates.</summary>
    public string PrimaryKey { get; }

    public IdempotencySql Sql { get; }

    public IdempotencyAdminSql AdminSql { get; }

    /// <summary>The column of a property of <see cref="IdempotencyRecord"/>, quoted.</summary>
    public string this[string property] => _columns[property];

    /// <exception cref="IdempotencyTableMissingException">The model has no idempotency keys.</exception>
    public static IdempotencyTable Of(DbContext context)
    {
        var entityType = context.Model.FindEntityType(typeof(IdempotencyRecord)) ?? throw IdempotencyTableMissingException.NotInModel(context.GetType().Name);
        return entityType.GetOrAddRuntimeAnnotationValue(
            Annotation,
            static argument => new IdempotencyTable(argument.entityType, argument.sql),
            (entityType, sql: context.GetService<ISqlGenerationHelper>()));
    }

    /// <summary>A parameter that is the value of a column, for statements that ride in a save.</summary>
    public SqlParameterValue Value(string property, object? value) => SqlParameterValue.For(_entityType.FindProperty(property)!, value);

    /// <summary>A length of time as a parameter: microseconds, because an interval of days is not the same length everywhere.</summary>
    public SqlParameterValue Microseconds(TimeSpan time) => Value(nameof(IdempotencyRecord.Fence), time.Ticks / TimeSpan.TicksPerMicrosecond);
}
