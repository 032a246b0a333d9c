using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace EfConcurrency.Versioning;

/// <summary>The version column of an entity type: which property, and how to get the next value. Cached on the model.</summary>
internal sealed class VersionColumn
{
    private static readonly object None = new();

    private readonly ValueConverter? _converter;

    private VersionColumn(IProperty property)
    {
        Property = property;
        _converter = property.GetTypeMapping().Converter;
        Kind = KindOf(_converter?.ProviderClrType ?? property.ClrType)!.Value;
    }

    public IProperty Property { get; }

    public VersionKind Kind { get; }

    /// <summary>True unless the server writes the column itself (<c>xmin</c>).</summary>
    public bool IsWritten => Kind != VersionKind.Xmin;

    /// <summary>The version column of <paramref name="entityType"/>, its base types included, or null.</summary>
    public static VersionColumn? Find(IEntityType entityType)
        => entityType.GetOrAddRuntimeAnnotationValue(
            VersionAnnotations.Column,
            static type => Create(type!),
            entityType) as VersionColumn;

    public static bool IsVersion(IReadOnlyProperty property) => property.FindAnnotation(VersionAnnotations.Version)?.Value is true;

    /// <summary>The kind for a column that holds values of <paramref name="providerType"/>, or null when it can't be a version.</summary>
    public static VersionKind? KindOf(Type providerType)
        => providerType == typeof(long) ? VersionKind.Int64
            : providerType == typeof(int) ? VersionKind.Int32
            : providerType == typeof(Guid) ? VersionKind.Guid
            : providerType == typeof(uint) ? VersionKind.Xmin
            : null;

    /// <summary>A column that can be rewritten with its own value, to make the server give the row a new xmin.</summary>
    /// <exception cref="InvalidOperationException">The entity has nothing but its key.</exception>
    public static IProperty AnyWritable(IEntityType entityType)
        => entityType.GetProperties().FirstOrDefault(p => !p.IsKey() && p.GetAfterSaveBehavior() == PropertySaveBehavior.Save)
            ?? throw new InvalidOperationException(
                $"'{entityType.DisplayName()}' has no column beside its key that could be rewritten to change its xmin. Give it a version column of its own (long, int or Guid).");

    /// <summary>
    /// The value that follows <paramref name="original"/>. It is computed from the value that was read, never from the current one,
    /// so that a save that fails and is repeated writes the same number.
    /// </summary>
    public object Next(object? original)
    {
        var stored = _converter is null ? original : _converter.ConvertToProvider(original);
        object next = Kind switch
        {
            VersionKind.Int64 => checked((long)stored! + 1),
            VersionKind.Int32 => checked((int)stored! + 1),
            VersionKind.Guid => Guid.CreateVersion7(),
            _ => throw new InvalidOperationException($"The version of '{Property.DeclaringType.DisplayName()}' is PostgreSQL's xmin, which only the server writes."),
        };

        return _converter is null ? next : _converter.ConvertFromProvider(next)!;
    }

    /// <summary>The value of a row that is inserted without a version: 1, or a fresh UUID.</summary>
    public object First()
        => Next(_converter is null ? Zero() : _converter.ConvertFromProvider(Zero()));

    /// <summary>The model's value for what was read from the column.</summary>
    public object FromStore(object stored) => _converter is null ? stored : _converter.ConvertFromProvider(stored)!;

    private object Zero() => Kind switch
    {
        VersionKind.Int64 => 0L,
        VersionKind.Int32 => 0,
        _ => Guid.Empty,
    };

    private static object Create(IEntityType entityType)
        => entityType.GetProperties().FirstOrDefault(IsVersion) is { } property ? new VersionColumn(property) : None;
}
