#pragma warning disable EF1001 // EF's own column modification, with another value to compare with.
using System.Globalization;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.WriteEnvelope;

/// <summary>
/// A ceiling column in an UPDATE or DELETE: compared with the value of this save. What the tracker has read is not touched. Its parameter is
/// named after the value, so that one serves the comparison and the assignment, of all rows.
/// </summary>
internal sealed class CeilingColumnModification(in ColumnModificationParameters parameters) : ColumnModification(parameters)
{
    private string? _name;

    /// <summary>The name of the shared parameter.</summary>
    public string SharedName => _name ??= string.Create(CultureInfo.InvariantCulture, $"efc_ceiling_{OriginalValue}");

    public override string? ParameterName => UseCurrentValueParameter ? SharedName : null;

    public override string? OriginalParameterName => UseOriginalValueParameter ? SharedName : null;

    public override bool UseOriginalValueParameter => !IsWrite && base.UseOriginalValueParameter;

    public override object? OriginalValue
    {
        get => Entry!.GetCurrentValue(Property!);
        set => base.OriginalValue = value;
    }
}
