using System.Linq.Expressions;
using EfConcurrency.Fencing;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Declares which rows are fenced, by what, and how strictly.</summary>
public static class FencingModelBuilderExtensions
{
    /// <summary>
    /// Rows of the entity are written only under a fencing token of <paramref name="resource"/>: <c>db.UseLease(lease)</c> or
    /// <c>db.UseFencingToken(resource, token)</c>. A save without one throws.
    /// </summary>
    /// <typeparam name="TEntity">The entity.</typeparam>
    /// <param name="builder">The entity's builder.</param>
    /// <param name="resource">Name of the lease, 1 to 200 characters.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="FencingConfigurationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static EntityTypeBuilder<TEntity> FencedBy<TEntity>(this EntityTypeBuilder<TEntity> builder, string resource)
        where TEntity : class
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(resource);
        return Annotate(builder, FencingAnnotations.FencedBy, ResourceTemplate.Literal(resource));
    }

    /// <summary>
    /// Each row is fenced by a resource of its own, for example <c>r =&gt; "report:" + r.Id</c>. <c>ExecuteUpdate</c> and <c>ExecuteDelete</c> then
    /// write only the rows of the resource whose token is in scope.
    /// </summary>
    /// <typeparam name="TEntity">The entity.</typeparam>
    /// <param name="builder">The entity's builder.</param>
    /// <param name="resource">
    /// Text and mapped properties of the entity (string, short, int, long, Guid), put together by <c>+</c> or in an interpolated string. It is
    /// read, not called: the same is done in queries and triggers.
    /// </param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="FencingConfigurationException">The expression does something else, or the context has no <c>UseEfConcurrency()</c>.</exception>
    public static EntityTypeBuilder<TEntity> FencedBy<TEntity>(this EntityTypeBuilder<TEntity> builder, Expression<Func<TEntity, string>> resource)
        where TEntity : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(resource);
        return Annotate(builder, FencingAnnotations.FencedBy, ResourceSelector.ToTemplate(resource, builder.Metadata.DisplayName()));
    }

    /// <summary>
    /// Keeps the fencing token of the last writer in the row: a save under an older token is refused. Existing rows start at 0.
    /// </summary>
    /// <typeparam name="TEntity">The entity.</typeparam>
    /// <param name="builder">The entity's builder.</param>
    /// <param name="token">A property of type <see cref="long"/>; the library writes it.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="FencingConfigurationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static EntityTypeBuilder<TEntity> HasFencingToken<TEntity>(this EntityTypeBuilder<TEntity> builder, Expression<Func<TEntity, long>> token)
        where TEntity : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(token);
        builder.Property(token).HasAnnotation(FencingAnnotations.Token, true);
        return Checked(builder);
    }

    /// <summary>Keeps the fencing token of the last writer in a shadow property.</summary>
    /// <typeparam name="TEntity">The entity.</typeparam>
    /// <param name="builder">The entity's builder.</param>
    /// <param name="propertyName">Name of the property; made if the class has none of that name.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="FencingConfigurationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static EntityTypeBuilder<TEntity> HasFencingToken<TEntity>(this EntityTypeBuilder<TEntity> builder, string propertyName)
        where TEntity : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Property<long>(propertyName).HasAnnotation(FencingAnnotations.Token, true);
        return Checked(builder);
    }

    /// <summary>
    /// Lets the database itself refuse stale writes on any path, psql included, by a trigger that migrations and <c>EnsureCreated</c> make.
    /// </summary>
    /// <typeparam name="TEntity">The entity.</typeparam>
    /// <param name="builder">The entity's builder.</param>
    /// <param name="strict">
    /// False (the default): no UPDATE may lower the token in a row; SQL that does not touch the token passes. True: every INSERT, UPDATE and
    /// DELETE needs a token, presented in the same transaction, that is current in the lease table; raw SQL presents it by
    /// <c>db.PresentFencingTokensAsync()</c>, psql by <c>select efc.present_fencing_token('mrp', 42)</c>. TRUNCATE is not stopped.
    /// </param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="FencingConfigurationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static EntityTypeBuilder<TEntity> HasFencingTrigger<TEntity>(this EntityTypeBuilder<TEntity> builder, bool strict = false)
        where TEntity : class
        => Annotate(builder, FencingAnnotations.Trigger, strict ? FencingAnnotations.StrictTrigger : FencingAnnotations.PlainTrigger);

    private static EntityTypeBuilder<TEntity> Annotate<TEntity>(EntityTypeBuilder<TEntity> builder, string annotation, string value)
        where TEntity : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.HasAnnotation(annotation, value);
        return Checked(builder);
    }

    private static EntityTypeBuilder<TEntity> Checked<TEntity>(EntityTypeBuilder<TEntity> builder)
        where TEntity : class
    {
        var entityType = builder.Metadata.DisplayName();
        return EnvelopeModelConvention.IsSupported(builder.Metadata.Model)
            ? builder
            : throw new FencingConfigurationException(
                entityType,
                $"'{entityType}' is declared as fenced, but the context has no UseEfConcurrency(), so no save would be refused. Call UseEfConcurrency() on the context's options, beside UseNpgsql().");
    }
}
