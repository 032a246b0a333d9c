#pragma warning disable EF1001 // The provider's command decides what each column is compared with; there is no public way to ask for another comparison.
using Microsoft.EntityFrameworkCore.Update;
using Npgsql.EntityFrameworkCore.PostgreSQL.Update.Internal;

namespace EfConcurrency.WriteEnvelope;

/// <summary>Makes the provider's commands, with ceiling columns where the model has them.</summary>
internal sealed class EnvelopeModificationCommandFactory : NpgsqlModificationCommandFactory
{
    public override IModificationCommand CreateModificationCommand(in ModificationCommandParameters modificationCommandParameters)
        => new Command(modificationCommandParameters);

    private sealed class Command(in ModificationCommandParameters parameters) : NpgsqlModificationCommand(parameters)
    {
        protected override IColumnModification CreateColumnModification(in ColumnModificationParameters columnModificationParameters)
            => columnModificationParameters is { IsCondition: true, IsKey: false, Entry: not null, Property: { } property } && CeilingColumn.Is(property)
                ? new CeilingColumnModification(columnModificationParameters)
                : base.CreateColumnModification(columnModificationParameters);
    }
}
