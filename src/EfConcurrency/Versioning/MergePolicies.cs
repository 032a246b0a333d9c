using System.Linq.Expressions;

namespace EfConcurrency.Versioning;

/// <summary>How conflicts are merged, by entity type. Make one and keep it: it is not changed by use.</summary>
public sealed class MergePolicies
{
    private readonly Dictionary<Type, MergePolicy> _policies = [];
    private readonly Dictionary<(Type, string), Func<object?, object?, object?, object?>> _resolvers = [];
    private readonly Dictionary<Type, Action<object>> _checks = [];

    /// <summary>How often a save is merged and repeated, because yet another writer came, before the conflict is thrown.</summary>
    /// <value>5</value>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>Sets the policy of an entity type and its derived types.</summary>
    /// <typeparam name="TEntity">The entity type.</typeparam>
    /// <param name="policy">The policy.</param>
    /// <returns>This object.</returns>
    public MergePolicies For<TEntity>(MergePolicy policy)
        where TEntity : class
    {
        _policies[typeof(TEntity)] = policy;
        return this;
    }

    /// <summary>Decides a property that both sides changed differently, and makes the type's policy <see cref="MergePolicy.ThreeWay"/>.</summary>
    /// <typeparam name="TEntity">The entity type.</typeparam>
    /// <typeparam name="TProperty">The type of the property.</typeparam>
    /// <param name="property">The property.</param>
    /// <param name="resolve">From the value that was read, ours and theirs, in this order, to the value to write; for a sum: <c>(read, ours, theirs) => theirs + ours - read</c>.</param>
    /// <returns>This object.</returns>
    /// <exception cref="ArgumentException"><paramref name="property"/> is not a property of the entity.</exception>
    public MergePolicies Resolve<TEntity, TProperty>(Expression<Func<TEntity, TProperty>> property, Func<TProperty, TProperty, TProperty, TProperty> resolve)
        where TEntity : class
    {
        ArgumentNullException.ThrowIfNull(property);
        ArgumentNullException.ThrowIfNull(resolve);
        if (property.Body is not MemberExpression { Expression: ParameterExpression } member)
        {
            throw new ArgumentException($"'{property}' does not name a property of '{typeof(TEntity).Name}'. Write e => e.Property.", nameof(property));
        }

        _policies.TryAdd(typeof(TEntity), MergePolicy.ThreeWay);
        _resolvers[(typeof(TEntity), member.Member.Name)] = (read, ours, theirs) => resolve((TProperty)read!, (TProperty)ours!, (TProperty)theirs!);
        return this;
    }

    /// <summary>Looks at each merged entity before it is saved: values that are right one by one may be wrong together.</summary>
    /// <typeparam name="TEntity">The entity type.</typeparam>
    /// <param name="check">Throws when the entity must not be saved.</param>
    /// <returns>This object.</returns>
    public MergePolicies Check<TEntity>(Action<TEntity> check)
        where TEntity : class
    {
        ArgumentNullException.ThrowIfNull(check);
        _checks[typeof(TEntity)] = entity => check((TEntity)entity);
        return this;
    }

    internal MergePolicy PolicyOf(Type entity)
        => BasesOf(entity).Select(t => _policies.TryGetValue(t, out var policy) ? policy : (MergePolicy?)null).FirstOrDefault(p => p is not null) ?? MergePolicy.Fail;

    internal Func<object?, object?, object?, object?>? ResolverOf(Type entity, string property)
        => BasesOf(entity).Select(t => _resolvers.GetValueOrDefault((t, property))).FirstOrDefault(r => r is not null);

    internal void CheckMerged(object entity)
    {
        foreach (var type in BasesOf(entity.GetType()))
        {
            _checks.GetValueOrDefault(type)?.Invoke(entity);
        }
    }

    private static IEnumerable<Type> BasesOf(Type type)
    {
        for (var t = type; t is not null; t = t.BaseType)
        {
            yield return t;
        }
    }
}
