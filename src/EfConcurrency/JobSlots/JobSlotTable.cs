using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.JobSlots;

/// <summary>The table of job slots: quoted names from the model, and how values get into its columns. Cached on the model.</summary>
internal sealed class JobSlotTable
{
    private const string Annotation = "EfConcurrency:JobSlotTable";

    private readonly IEntityType _entityType;
    private readonly Dictionary<string, string> _columns;

    private JobSlotTable(IEntityType entityType, ISqlGenerationHelper sql)
    {
        var table = entityType.GetTableMappings().Single().Table;
        _entityType = entityType;
        _columns = entityType.GetProperties().ToDictionary(p => p.Name, p => sql.DelimitIdentifier(table.FindColumn(p)!.Name), StringComparer.Ordinal);
        Name = sql.DelimitIdentifier(table.Name, table.Schema);
        Columns = string.Join(", ", ((string[])[SlotAt, SlotNo, Attempt, ClaimedBy, ClaimedInfo, ClaimedAt, ExpiresAt, CanReclaim, CompletedAt, Outcome]).Select(c => $"s.{c}"));
    }

    /// <summary>The table, quoted, with its schema.</summary>
    public string Name { get; }

    public string Job => _columns[nameof(JobSlot.Job)];

    public string SlotAt => _columns[nameof(JobSlot.SlotAt)];

    public string SlotNo => _columns[nameof(JobSlot.SlotNo)];

    public string Attempt => _columns[nameof(JobSlot.Attempt)];

    public string ClaimedBy => _columns[nameof(JobSlot.ClaimedBy)];

    public string ClaimedInfo => _columns[nameof(JobSlot.ClaimedInfo)];

    public string ClaimedAt => _columns[nameof(JobSlot.ClaimedAt)];

    public string ExpiresAt => _columns[nameof(JobSlot.ExpiresAt)];

    public string CanReclaim => _columns[nameof(JobSlot.CanReclaim)];

    public string CompletedAt => _columns[nameof(JobSlot.CompletedAt)];

    public string Outcome => _columns[nameof(JobSlot.Outcome)];

    /// <summary>What <see cref="JobSlot.Read"/> reads, in its order, from alias <c>s</c>.</summary>
    public string Columns { get; }

    /// <exception cref="JobSlotTableMissingException">The model has no job slots.</exception>
    public static JobSlotTable Of(DbContext context)
    {
        var entityType = context.Model.FindEntityType(typeof(JobSlot)) ?? throw JobSlotTableMissingException.NotInModel(context.GetType().Name);
        return entityType.GetOrAddRuntimeAnnotationValue(
            Annotation,
            static argument => new JobSlotTable(argument.entityType, argument.sql),
            (entityType, sql: context.GetService<ISqlGenerationHelper>()));
    }

    /// <summary>A parameter that is or could be the value of a column.</summary>
    public SqlParameterValue Value(string property, object? value) => SqlParameterValue.For(_entityType.FindProperty(property)!, value);

    /// <summary>A length of time as a parameter: microseconds, because an interval of days is not the same length everywhere.</summary>
    public SqlParameterValue Microseconds(TimeSpan time) => Value(nameof(JobSlot.Attempt), time.Ticks / TimeSpan.TicksPerMicrosecond);
}
