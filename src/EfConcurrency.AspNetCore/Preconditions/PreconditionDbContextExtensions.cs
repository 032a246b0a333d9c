using System.Linq.Expressions;
using EfConcurrency.AspNetCore.Preconditions;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Clients' preconditions, checked by the database at the save.</summary>
public static class PreconditionDbContextExtensions
{
    /// <summary>
    /// Lets the next save write <paramref name="entity"/> only if its row has a version that the client named. Fails at once when the entity as
    /// it was read has another. Never retried, inside <c>RetryOnConflictAsync</c> neither: a client's expectation does not change by reading
    /// again. Does nothing when the request has no <c>If-Match</c>.
    /// </summary>
    /// <param name="context">The context that tracks the entity.</param>
    /// <param name="entity">A tracked entity with a version column.</param>
    /// <param name="ifMatch">The header.</param>
    /// <exception cref="PreconditionFailedException">The entity has another version than the client named.</exception>
    /// <exception cref="InvalidOperationException">The entity is not tracked, or has no version column.</exception>
    public static void Expect(this DbContext context, object entity, IfMatch ifMatch)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(ifMatch);

        var entry = context.Entry(entity);
        var property = VersionProperty(entry.Metadata);
        var read = entry.Property(property.Name).OriginalValue!;
        var tag = VersionTag.Of(property, read);
        if (ifMatch.MatchesTag(tag))
        {
            if (ifMatch is { IsPresent: true, IsAny: false })
            {
                context.Expect(entity, read);
            }
        }
        else if (property.GetValueComparer().Equals(read, VersionTag.Unread(property)) && ifMatch.Versions(property) is [var only])
        {
            // Attached by its key, without being read: the database compares.
            context.Expect(entity, only);
        }
        else
        {
            throw new PreconditionFailedException(tag);
        }
    }

    /// <summary>
    /// Refuses to replace what exists when the client said <c>If-None-Match: *</c>. Two clients may create at the same time: the loser's
    /// violation of the primary key becomes a 412 too.
    /// </summary>
    /// <param name="context">The context.</param>
    /// <param name="existing">The entity that was found, or null.</param>
    /// <param name="ifNoneMatch">The header.</param>
    /// <exception cref="PreconditionFailedException">There is an entity, and the client wants to create one.</exception>
    public static void ExpectNone(this DbContext context, object? existing, IfNoneMatch ifNoneMatch)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(ifNoneMatch);
        if (ifNoneMatch.IsAny && existing is not null)
        {
            throw new PreconditionFailedException(TagOf(context.Entry(existing)));
        }
    }

    /// <summary>
    /// Updates one row, by its key, if it has a version that the client named and meets the query's other conditions: like
    /// <c>ExecuteUpdateIfVersionAsync</c>. Without <c>If-Match</c>, or with <c>*</c>, the version does not matter.
    /// </summary>
    /// <typeparam name="T">An entity with a version column.</typeparam>
    /// <param name="source">The set, or a query on it.</param>
    /// <param name="key">The primary key; an <c>object[]</c> in the order of the key's properties when it is composite.</param>
    /// <param name="ifMatch">The header.</param>
    /// <param name="setters">What to write, as for <c>ExecuteUpdate</c>. The version is raised by itself.</param>
    /// <param name="cancellationToken">Cancels the statements.</param>
    /// <returns>Updated, not found, or another condition not met.</returns>
    /// <exception cref="PreconditionFailedException">The row has another version than the client named.</exception>
    /// <exception cref="ArgumentException">The key is not of the type that the model has.</exception>
    /// <exception cref="InvalidOperationException">The entity has no version column.</exception>
    public static async Task<ConditionalUpdateResult> ExecuteUpdateIfMatchAsync<T>(
        this IQueryable<T> source, object key, IfMatch ifMatch, Action<UpdateSettersBuilder<T>> setters, CancellationToken cancellationToken = default)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(ifMatch);

        var property = VersionProperty(QueryRoot.EntityTypeOf(source));
        var accepted = ifMatch.Versions(property);
        var isConditional = ifMatch is { IsPresent: true, IsAny: false };
        if (isConditional && accepted.Count == 0)
        {
            throw new PreconditionFailedException();
        }

        // One statement when the first guess is right. A refusal tells the version, and the next attempt is for that one, if the client accepts it.
        var expected = isConditional ? accepted[0] : VersionTag.Unread(property);
        while (true)
        {
            var result = await source.ExecuteUpdateIfVersionAsync(key, expected, setters, cancellationToken).ConfigureAwait(false);
            if (result.Outcome != ConditionalUpdateOutcome.Conflict)
            {
                return result;
            }

            expected = result.ActualVersion!;
            if (isConditional && !accepted.Exists(v => property.GetValueComparer().Equals(v, expected)))
            {
                throw new PreconditionFailedException(VersionTag.Of(property, expected));
            }
        }
    }

    private static Net.Http.Headers.EntityTagHeaderValue? TagOf(EntityEntry entry)
        => entry.Metadata.FindVersionProperty() is { } property && entry.Property(property.Name).OriginalValue is { } version ? VersionTag.Of(property, version) : null;

    private static IProperty VersionProperty(IEntityType type)
        => type.FindVersionProperty()
            ?? throw new InvalidOperationException($"'{type.DisplayName()}' has no version column, so no precondition can be checked. Declare one: [Version], IVersioned, or HasVersion(…).");

    private sealed class QueryRoot(Type element) : ExpressionVisitor
    {
        private IEntityType? _found;

        public static IEntityType EntityTypeOf<T>(IQueryable<T> source)
        {
            var finder = new QueryRoot(typeof(T));
            finder.Visit(source.Expression);
            return finder._found ?? throw new InvalidOperationException("ExecuteUpdateIfMatchAsync needs a query on a DbSet, such as db.Accounts or db.Accounts.Where(…).");
        }

        protected override Expression VisitExtension(Expression node)
        {
            if (node is EntityQueryRootExpression root && root.EntityType.ClrType == element)
            {
                _found ??= root.EntityType;
            }

            return node;
        }
    }
}
