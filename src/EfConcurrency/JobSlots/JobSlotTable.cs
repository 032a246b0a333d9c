using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.JobSlots;

/// <summary>The table of job slots: quoted names from the model, and how values get into its columns. Cached on the model.</summary>
internal sealed class JobSlotTable : MappedTable
{
    private const string Annotation = "EfConcurrency:JobSlotTable";

    private JobSlotTable(IEntityType entityType, ISqlGenerationHelper sql)
        : base(entityType, sql)
    {
        Columns = string.Join(", ", ((string[])[SlotAt, SlotNo, Attempt, ClaimedBy, ClaimedInfo, ClaimedAt, ExpiresAt, CanReclaim, CompletedAt, Outcome]).Select(c => $"s.{c}"));
    }

    public string Job => this[nameof(JobSlot.Job)];

    public string SlotAt => this[nameof(JobSlot.SlotAt)];

    public string SlotNo => this[nameof(JobSlot.SlotNo)];

    public string Attempt => this[nameof(JobSlot.Attempt)];

    public string ClaimedBy => this[nameof(JobSlot.ClaimedBy)];

    public string ClaimedInfo => this[nameof(JobSlot.ClaimedInfo)];

    public string ClaimedAt => this[nameof(JobSlot.ClaimedAt)];

    public string ExpiresAt => this[nameof(JobSlot.ExpiresAt)];

    public string CanReclaim => this[nameof(JobSlot.CanReclaim)];

    public string CompletedAt => this[nameof(JobSlot.CompletedAt)];

    public string Outcome => this[nameof(JobSlot.Outcome)];

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

    /// <summary>A length of time as a parameter: microseconds, because an interval of days is not the same length everywhere.</summary>
    public SqlParameterValue Microseconds(TimeSpan time) => Value(nameof(JobSlot.Attempt), time.Ticks / TimeSpan.TicksPerMicrosecond);
}
