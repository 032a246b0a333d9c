using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Inbox;

/// <summary>The table of the inbox: quoted names from the model, and the room's statements on it. Cached on the model.</summary>
internal sealed class InboxTable
{
    private readonly IEntityType _entityType;
    private readonly Dictionary<string, string> _columns;

    private InboxTable(IEntityType entityType, ISqlGenerationHelper sql)
    {
        var table = entityType.GetTableMappings().Single().Table;
        _entityType = entityType;
        _columns = entityType.GetProperties().ToDictionary(p => p.Name, p => sql.DelimitIdentifier(table.FindColumn(p)!.Name), StringComparer.Ordinal);
        Name = sql.DelimitIdentifier(table.Name, table.Schema);
        WindowDays = (int)entityType.FindAnnotation(InboxAnnotations.WindowDays)!.Value!;
        Accept = InboxSql.Accept(this);
        AcceptWithSave = InboxSql.AcceptWithSave(this);
    }

    /// <summary>The table, quoted, with its schema.</summary>
    public string Name { get; }

    public int WindowDays { get; }

    public string Slot => _columns[nameof(InboxRecord.Slot)];

    public string Consumer => _columns[nameof(InboxRecord.Consumer)];

    public string MessageId => _columns[nameof(InboxRecord.MessageId)];

    public string ForeignId => _columns[nameof(InboxRecord.ForeignId)];

    public string AcceptedAt => _columns[nameof(InboxRecord.AcceptedAt)];

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

    /// <summary>A parameter that is the value of a column.</summary>
    public SqlParameterValue Value(string property, object? value) => SqlParameterValue.For(_entityType.FindProperty(property)!, value);
}
