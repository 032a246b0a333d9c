using EfConcurrency.Postgres;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Versioning;

/// <summary>Statements of this room that ride in the save's batch.</summary>
internal static class VersionStatements
{
    /// <summary>Raises the version of a row that is not tracked. Refuses the save when the row is gone.</summary>
    public static EnvelopeStatement BumpRoot(DbContext context, VersionColumn version, IReadOnlyList<IProperty> keyProperties, object?[] keyValues)
    {
        var entityType = keyProperties[0].DeclaringType.ContainingEntityType;
        var table = PropertyTable.Of(context.GetService<ISqlGenerationHelper>(), entityType, version.Property, keyProperties);
        var parameters = Keys(keyProperties, keyValues);
        if (version.Kind == VersionKind.Guid)
        {
            parameters.Add(SqlParameterValue.For(version.Property, version.Next(null)));
        }

        var sql = version.Kind switch
        {
            VersionKind.Guid => VersioningSql.BumpGuid(table),
            VersionKind.Xmin => VersioningSql.BumpXmin(table),
            _ => VersioningSql.BumpNumber(table),
        };

        return new(sql, parameters, () => new VersionConflictException(
            [VersionConflict.Deleted(entityType, VersionKeys.Of(keyProperties, keyValues), expected: null)], entries: [], inner: null));
    }

    /// <summary>Refuses the save unless the row still has the version, without raising it.</summary>
    public static EnvelopeStatement Verify(DbContext context, VersionColumn version, IEntityType entityType, object?[] keyValues, object? expected, Func<Exception> refusal)
    {
        var table = PropertyTable.Of(context.GetService<ISqlGenerationHelper>(), entityType, version.Property);
        var parameters = Keys(table.KeyProperties, keyValues);
        parameters.Add(SqlParameterValue.For(version.Property, expected));
        return new(VersioningSql.Verify(table), parameters, refusal);
    }

    private static List<SqlParameterValue> Keys(IReadOnlyList<IProperty> properties, object?[] values)
        => [.. properties.Select((p, i) => SqlParameterValue.For(p, values[i]))];
}
