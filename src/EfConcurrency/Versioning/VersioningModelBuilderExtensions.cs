using System.Linq.Expressions;
using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Declares version columns.</summary>
public static class VersioningModelBuilderExtensions
{
    /// <summary>Makes the property the version column of the entity: every save checks it and raises it.</summary>
    /// <typeparam name="TEntity">The entity.</typeparam>
    /// <typeparam name="TVersion"><see cref="long"/>, <see cref="int"/>, <see cref="Guid"/>, a type converted to one of them, or <see cref="uint"/> for PostgreSQL's <c>xmin</c>.</typeparam>
    /// <param name="builder">The entity's builder.</param>
    /// <param name="version">The property.</param>
    /// <returns>The property's builder.</returns>
    /// <exception cref="VersionConfigurationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static PropertyBuilder<TVersion> HasVersion<TEntity, TVersion>(this EntityTypeBuilder<TEntity> builder, Expression<Func<TEntity, TVersion>> version)
        where TEntity : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(version);
        return builder.Property(version).IsVersion();
    }

    /// <summary>Makes a shadow property the version column of the entity.</summary>
    /// <typeparam name="TVersion"><see cref="long"/>, <see cref="int"/>, <see cref="Guid"/>, or <see cref="uint"/> for PostgreSQL's <c>xmin</c>.</typeparam>
    /// <param name="builder">The entity's builder.</param>
    /// <param name="propertyName">Name of the property; made if the class has none of that name.</param>
    /// <returns>The property's builder.</returns>
    /// <exception cref="VersionConfigurationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static PropertyBuilder<TVersion> HasVersion<TVersion>(this EntityTypeBuilder builder, string propertyName)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Property<TVersion>(propertyName).IsVersion();
    }

    /// <summary>Makes the property the version column of its entity.</summary>
    /// <typeparam name="TVersion">The type of the property.</typeparam>
    /// <param name="builder">The property's builder.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="VersionConfigurationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static PropertyBuilder<TVersion> IsVersion<TVersion>(this PropertyBuilder<TVersion> builder)
    {
        ArgumentNullException.ThrowIfNull(builder);

        var property = builder.Metadata;
        if (!EnvelopeModelConvention.IsSupported(property.DeclaringType.Model))
        {
            var entityType = property.DeclaringType.DisplayName();
            throw new VersionConfigurationException(
                entityType,
                $"'{entityType}.{property.Name}' is declared as a version, but the context has no UseEfConcurrency(), so no save would check it. "
                + "Call UseEfConcurrency() on the context's options, beside UseNpgsql().");
        }

        builder.HasAnnotation(VersionAnnotations.Version, true);
        return builder;
    }

    /// <summary>
    /// A change of the dependent (added, changed, removed, moved to another parent) also raises the version of its principal, so
    /// that two users can't change parts of one aggregate against each other. Off by default: it makes the root a hot row.
    /// </summary>
    /// <typeparam name="TPrincipal">The root.</typeparam>
    /// <typeparam name="TDependent">The part.</typeparam>
    /// <param name="builder">The relationship's builder.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static ReferenceCollectionBuilder<TPrincipal, TDependent> BumpsRoot<TPrincipal, TDependent>(this ReferenceCollectionBuilder<TPrincipal, TDependent> builder)
        where TPrincipal : class
        where TDependent : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        MarkBumpsRoot(builder.Metadata);
        return builder;
    }

    /// <inheritdoc cref="BumpsRoot{TPrincipal, TDependent}(ReferenceCollectionBuilder{TPrincipal, TDependent})"/>
    public static ReferenceReferenceBuilder<TPrincipal, TDependent> BumpsRoot<TPrincipal, TDependent>(this ReferenceReferenceBuilder<TPrincipal, TDependent> builder)
        where TPrincipal : class
        where TDependent : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        MarkBumpsRoot(builder.Metadata);
        return builder;
    }

    private static void MarkBumpsRoot(IMutableForeignKey foreignKey)
        => foreignKey.SetAnnotation(VersionAnnotations.BumpsRoot, true);
}
