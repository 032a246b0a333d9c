using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.WriteEnvelope;

/// <summary>A parameter of an <see cref="EnvelopeStatement"/>: a model value and the mapping that turns it into what the column holds.</summary>
internal readonly record struct EnvelopeParameter(object? Value, RelationalTypeMapping Mapping)
{
    public static EnvelopeParameter For(IProperty property, object? value)
        => new(value, (RelationalTypeMapping)property.GetTypeMapping());
}
