#pragma warning disable EF1001 // EF's own column modification, with another value to compare with.
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.WriteEnvelope;

/// <summary>A ceiling column in an UPDATE or DELETE: compared with the value of this save. What the tracker has read is not touched.</summary>
internal sealed class CeilingColumnModification(in ColumnModificationParameters parameters) : ColumnModification(parameters)
{
    public override object? OriginalValue
    {
        get => Entry!.GetCurrentValue(Property!);
        set => base.OriginalValue = value;
    }
}
