using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.WriteEnvelope;

/// <summary>
/// A concurrency token that only rises: a save writes its value where the stored one is not above it (<c>stored &lt;= written</c>),
/// and not, as EF does, where the stored one is what was read.
/// </summary>
internal static class CeilingColumn
{
    /// <summary>Name of the annotation on the property. Value: true.</summary>
    public const string Annotation = "EfConcurrency:Ceiling";

    public static bool Is(IReadOnlyProperty property) => property.FindAnnotation(Annotation)?.Value is true;
}
