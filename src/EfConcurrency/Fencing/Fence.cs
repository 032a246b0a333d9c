using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.Fencing;

/// <summary>How the rows of an entity type are fenced: by which resource, and in which column. Cached on the model.</summary>
internal sealed class Fence
{
    private static readonly object None = new();

    private Fence(ResourceTemplate resource, IProperty? token)
    {
        Resource = resource;
        Token = token;
    }

    public ResourceTemplate Resource { get; }

    /// <summary>The fencing token column; null when the rows are guarded by the lease alone.</summary>
    public IProperty? Token { get; }

    /// <summary>The fence of <paramref name="entityType"/>, its base types included, or null.</summary>
    public static Fence? Find(IEntityType entityType)
        => entityType.GetOrAddRuntimeAnnotationValue(FencingAnnotations.Fence, static type => Create(type!), entityType) as Fence;

    public static bool IsToken(IReadOnlyProperty property) => property.FindAnnotation(FencingAnnotations.Token)?.Value is true;

    /// <summary>The resource template that is declared on the type or on the nearest of its base types.</summary>
    public static string? FindTemplate(IReadOnlyEntityType entityType)
        => entityType.GetAllBaseTypes().Reverse().Prepend(entityType)
            .Select(t => t.FindAnnotation(FencingAnnotations.FencedBy)?.Value as string).FirstOrDefault(t => t is not null);

    private static object Create(IEntityType entityType)
        => FindTemplate(entityType) is { } template
            ? new Fence(ResourceTemplate.Parse(template), entityType.GetProperties().FirstOrDefault(IsToken))
            : None;
}
