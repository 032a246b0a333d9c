using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Inbox;

/// <summary>The table of the inbox: quoted names from the model, and the room's statements on it. Cached on the model.</summary>
internal sealed class InboxTable : MappedTable
{
    private InboxTable(IEntityType entityType, ISqlGenerationHelper sql)
        : base(entityType, sql)
    {
        WindowDays = (int)entityType.FindAnnotation(InboxAnnotations.WindowDays)!.Value!;
        Accept = InboxSql.Accept(this);
        AcceptWithSave = InboxSql.AcceptWithSave(this);
    }

    public int WindowDays { get; }

    public string Slot => this[nameof(InboxRecord.Slot)];

    public string Consumer => this[nameof(InboxRecord.Consumer)];

    public string MessageId => this[nameof(InboxRecord.MessageId)];

    public string ForeignId => this[nameof(InboxRecord.ForeignId)];

    public string AcceptedAt => this[nameof(InboxRecord.AcceptedAt)];

    public string Accept { get; }

    public string AcceptWithSave { get; }

    /// <exception cref="InboxTableMissingException">The model has no inbox.</exception>
    public static InboxTable Of(DbContext context)
    {
        var entityType = context.Model.FindEntityType(typeof(InboxRecord)) ?? throw InboxTableMissingException.NotInModel(context.GetType().Name);
        return entityType.GetOrAddRuntimeAnnotationValue(
            InboxAnnotations.Table,
            static argument => new InboxTable(argument.entityType, argument.sql),
            (entityType, sql: context.GetService<ISqlGenerationHelper>()));
    }
}
