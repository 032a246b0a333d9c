using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Outbox;

/// <summary>The tables of the outbox: quoted names from the model, and the number of lanes. Cached on the model.</summary>
internal sealed class OutboxTable
{
    private const string Annotation = "EfConcurrency:OutboxTable";

    private OutboxTable(IEntityType record, ISqlGenerationHelper sql)
    {
        Log = new(record, sql);
        Cursor = new(record.Model.FindEntityType(typeof(OutboxCursor))!, sql);
        Pending = new(record.Model.FindEntityType(typeof(OutboxPending))!, sql);
        Owner = new(record.Model.FindEntityType(typeof(OutboxOwner))!, sql);
        Enqueue = OutboxSql.Enqueue(Log);
        EnqueueDelayed = OutboxSql.EnqueueDelayed(Log);
        Lanes = (int)record.FindAnnotation(OutboxAnnotations.Lanes)!.Value!;
    }

    public OutboxLogTable Log { get; }

    public OutboxCursorTable Cursor { get; }

    public OutboxPendingTable Pending { get; }

    public OutboxOwnerTable Owner { get; }

    /// <summary>The statement that writes messages.</summary>
    public string Enqueue { get; }

    /// <summary>The one that writes messages of which some are delayed.</summary>
    public string EnqueueDelayed { get; }

    /// <summary>Lanes are 0 … <see cref="Lanes"/> - 1.</summary>
    public int Lanes { get; }

    /// <exception cref="OutboxTableMissingException">The model has no outbox.</exception>
    public static OutboxTable Of(DbContext context)
    {
        var record = context.Model.FindEntityType(typeof(OutboxRecord)) ?? throw OutboxTableMissingException.NotInModel(context.GetType().Name);
        return record.FindRuntimeAnnotationValue(Annotation) as OutboxTable
            ?? record.GetOrAddRuntimeAnnotationValue(
                Annotation,
                static argument => new OutboxTable(argument.record, argument.sql),
                (record, sql: context.GetService<ISqlGenerationHelper>()));
    }
}
