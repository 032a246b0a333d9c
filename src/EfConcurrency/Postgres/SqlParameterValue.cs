using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Postgres;

/// <summary>A parameter of a statement of ours: a model value and the mapping that turns it into what the column holds.</summary>
internal readonly record struct SqlParameterValue(object? Value, RelationalTypeMapping Mapping)
{
    public static SqlParameterValue For(IProperty property, object? value)
        => new(value, (RelationalTypeMapping)property.GetTypeMapping());
}
