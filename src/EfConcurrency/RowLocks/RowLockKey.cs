using System.Linq.Expressions;
using EfConcurrency.QueryPipeline;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.RowLocks;

/// <summary>The key of a tracked entity, for messages and as a condition.</summary>
internal static class RowLockKey
{
    public static IReadOnlyDictionary<string, object?> Of(EntityEntry entry)
        => entry.Metadata.FindPrimaryKey()!.Properties.ToDictionary(p => p.Name, p => entry.Property(p.Name).CurrentValue);

    /// <summary>Values are read through a field, as those that a lambda captures: EF makes them parameters of one cached query.</summary>
    public static Expression<Func<T, bool>> Is<T>(IEntityType entityType, IReadOnlyDictionary<string, object?> key)
    {
        var entity = Expression.Parameter(typeof(T), "e");
        return Expression.Lambda<Func<T, bool>>(
            entityType.FindPrimaryKey()!.Properties
                .Select(p => (Expression)Expression.Equal(BulkWrite.Property(entity, p), Captured(p, key[p.Name])))
                .Aggregate(Expression.AndAlso),
            entity);
    }

    private static MemberExpression Captured(IProperty property, object? value)
        => Expression.Field(Expression.Constant(Activator.CreateInstance(typeof(Capture<>).MakeGenericType(property.ClrType), value)), nameof(Capture<>.Value));

    private sealed class Capture<T>(T value)
    {
        public readonly T Value = value;
    }
}
