using System.Linq.Expressions;
using EfConcurrency.QueryPipeline;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfConcurrency.Versioning;

/// <summary>One row by key and version, as expressions. Values are captured, so that EF makes them parameters of one cached query.</summary>
internal sealed class ConditionalRow<T>
    where T : class
{
    private readonly EntityQueryRootExpression _root;
    private readonly VersionColumn _version;
    private readonly object?[] _key;
    private readonly object _expected;

    private ConditionalRow(EntityQueryRootExpression root, VersionColumn version, object?[] key, object expected)
    {
        _root = root;
        _version = version;
        _key = key;
        _expected = expected;
    }

    private IEntityType EntityType => _root.EntityType;

    private IReadOnlyList<IProperty> KeyProperties => EntityType.FindPrimaryKey()!.Properties;

    public static ConditionalRow<T> Of(IQueryable<T> source, object key, object expected)
    {
        var root = RootFinder.Find(source.Expression)
            ?? throw new InvalidOperationException("ExecuteUpdateIfVersionAsync needs a query on a DbSet, such as db.Accounts or db.Accounts.Where(…).");
        var type = root.EntityType;
        var version = VersionColumn.Find(type)
            ?? throw new InvalidOperationException($"'{type.DisplayName()}' has no version column. Declare one: [Version], IVersioned, or HasVersion(…).");

        var properties = type.FindPrimaryKey()!.Properties;
        var values = properties.Count > 1 && key is object?[] several ? several : [key];
        if (values.Length != properties.Count)
        {
            throw new ArgumentException(
                $"The key of '{type.DisplayName()}' is ({string.Join(", ", properties.Select(p => $"{p.ClrType.Name} {p.Name}"))}), but {values.Length} value(s) were given. Pass an object[] in that order.", nameof(key));
        }

        for (var i = 0; i < values.Length; i++)
        {
            Check(type, properties[i], values[i], nameof(key));
        }

        Check(type, version.Property, expected, "expectedVersion");
        return new(root, version, values, expected);
    }

    /// <summary>The whole set, without the query's conditions.</summary>
    public IQueryable<T> Set(IQueryable<T> source) => source.Provider.CreateQuery<T>(_root);

    public Expression<Func<T, bool>> HasKey() => Lambda(KeyIs);

    public Expression<Func<T, bool>> HasKeyAndVersion()
        => Lambda(entity => Expression.AndAlso(KeyIs(entity), Is(entity, _version.Property, _expected)));

    public Expression<Func<T, object>> Version()
    {
        var entity = Expression.Parameter(typeof(T), "e");
        return Expression.Lambda<Func<T, object>>(Expression.Convert(BulkWrite.Property(entity, _version.Property), typeof(object)), entity);
    }

    public ConditionalUpdateResult Explain(object? actual)
    {
        var key = VersionKeys.Of(KeyProperties, _key);
        return actual is null
            ? new(ConditionalUpdateOutcome.NotFound, actualVersion: null, VersionConflict.Deleted(EntityType, key, _expected))
            : _version.Property.GetValueComparer().Equals(actual, _expected)
                ? new(ConditionalUpdateOutcome.ConditionFailed, actual, conflict: null)
                : new(ConditionalUpdateOutcome.Conflict, actual, VersionConflict.Stale(EntityType, key, _expected, actual, []));
    }

    private static void Check(IEntityType type, IProperty property, object? value, string parameter)
    {
        if (value?.GetType() != property.ClrType)
        {
            throw new ArgumentException(
                $"'{type.DisplayName()}.{property.Name}' is a '{property.ClrType.Name}', but a '{value?.GetType().Name ?? "null"}' was given. Pass a '{property.ClrType.Name}'.", parameter);
        }
    }

    private static Expression<Func<T, bool>> Lambda(Func<Expression, Expression> body)
    {
        var entity = Expression.Parameter(typeof(T), "e");
        return Expression.Lambda<Func<T, bool>>(body(entity), entity);
    }

    private static BinaryExpression Is(Expression entity, IProperty property, object? value)
    {
        var captured = Activator.CreateInstance(typeof(CapturedValue<>).MakeGenericType(property.ClrType), value)!;
        return Expression.Equal(BulkWrite.Property(entity, property), Expression.Field(Expression.Constant(captured), nameof(CapturedValue<>.Value)));
    }

    private Expression KeyIs(Expression entity)
        => KeyProperties.Select((p, i) => (Expression)Is(entity, p, _key[i])).Aggregate(Expression.AndAlso);

    private sealed class RootFinder : ExpressionVisitor
    {
        private EntityQueryRootExpression? _found;

        public static EntityQueryRootExpression? Find(Expression query)
        {
            var finder = new RootFinder();
            finder.Visit(query);
            return finder._found;
        }

        protected override Expression VisitExtension(Expression node)
        {
            if (node is EntityQueryRootExpression root && root.EntityType.ClrType == typeof(T))
            {
                _found ??= root;
            }

            return node;
        }
    }
}
