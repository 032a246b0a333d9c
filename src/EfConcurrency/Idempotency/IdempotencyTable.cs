using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Idempotency;

/// <summary>The table of idempotency keys: quoted names from the model, and the statements made with them. Cached on the model.</summary>
internal sealed class IdempotencyTable : MappedTable
{
    private const string Annotation = "EfConcurrency:IdempotencyTable";

    private IdempotencyTable(IEntityType entityType, ISqlGenerationHelper sql)
        : base(entityType, sql)
    {
        PrimaryKey = entityType.FindPrimaryKey()!.GetName()!;
        Sql = new(this);
        AdminSql = new(this);
    }

    /// <summary>Name of the constraint that a second claim violates.</summary>
    public string PrimaryKey { get; }

    public IdempotencySql Sql { get; }

    public IdempotencyAdminSql AdminSql { get; }

    /// <exception cref="IdempotencyTableMissingException">The model has no idempotency keys.</exception>
    public static IdempotencyTable Of(DbContext context)
    {
        var entityType = context.Model.FindEntityType(typeof(IdempotencyRecord)) ?? throw IdempotencyTableMissingException.NotInModel(context.GetType().Name);
        return entityType.GetOrAddRuntimeAnnotationValue(
            Annotation,
            static argument => new IdempotencyTable(argument.entityType, argument.sql),
            (entityType, sql: context.GetService<ISqlGenerationHelper>()));
    }

    /// <summary>A length of time as a parameter: microseconds, because an interval of days is not the same length everywhere.</summary>
    public SqlParameterValue Microseconds(TimeSpan time) => Value(nameof(IdempotencyRecord.Fence), time.Ticks / TimeSpan.TicksPerMicrosecond);
}
