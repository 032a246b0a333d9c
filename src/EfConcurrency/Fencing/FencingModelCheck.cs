using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.Fencing;

/// <summary>Refuses fences that could not be checked.</summary>
internal static class FencingModelCheck
{
    /// <summary>Whether the type, or a base type, says anything about fencing.</summary>
    public static bool IsDeclared(IReadOnlyEntityType type)
        => Fence.FindTemplate(type) is not null || type.GetProperties().Any(Fence.IsToken) || type.FindAnnotation(FencingAnnotations.Trigger) is not null;

    public static void Check(IReadOnlyEntityType type, bool hasTokenTable)
    {
        var name = type.DisplayName();
        var template = Fence.FindTemplate(type)
            ?? throw new FencingConfigurationException(name, $"'{name}' has a fencing token column or trigger, but nothing says by which resource it is fenced. Add FencedBy(\"…\").");
        var resource = ResourceTemplate.Parse(template);
        var tokens = type.GetProperties().Where(Fence.IsToken).ToList();

        if (type.IsOwned())
        {
            throw new FencingConfigurationException(name, $"'{name}' is owned, so it is written with its owner. Put FencedBy on the owner.");
        }

        if (type.FindPrimaryKey() is null)
        {
            throw new FencingConfigurationException(name, $"'{name}' is fenced but has no key, so no row of it can be saved. Give it a key, or remove FencedBy.");
        }

        if (resource.IsConstant)
        {
            CheckLength(name, resource.Constant);
        }

        foreach (var property in resource.Properties)
        {
            CheckProperty(type, name, property);
        }

        if (tokens.Count > 1)
        {
            throw new FencingConfigurationException(name, $"'{name}' has {tokens.Count} fencing token columns ({string.Join(", ", tokens.Select(t => t.Name))}). Keep one.");
        }

        if (tokens is [var token] && (token.ClrType != typeof(long) || IsConverted(token)))
        {
            throw new FencingConfigurationException(
                name, $"'{name}.{token.Name}' is a '{token.ClrType.Name}'{(IsConverted(token) ? " with a value converter" : "")}, which can't hold a fencing token. Use a plain long.");
        }

        if (tokens.Count == 0 && !hasTokenTable)
        {
            throw new FencingConfigurationException(
                name, $"'{name}' is fenced by '{template}', but has no token column, and the model has no lease table: nothing could be checked. Add HasFencingToken(…), or modelBuilder.HasLeases().");
        }

        if (type.FindAnnotation(FencingAnnotations.Trigger)?.Value is FencingAnnotations.StrictTrigger && !hasTokenTable)
        {
            throw new FencingConfigurationException(name, $"'{name}' has a strict fencing trigger, which looks into the lease table, and the model has none. Add modelBuilder.HasLeases().");
        }

        if (type.FindAnnotation(FencingAnnotations.Trigger)?.Value is FencingAnnotations.PlainTrigger && tokens.Count == 0)
        {
            throw new FencingConfigurationException(name, $"'{name}' has a fencing trigger, which compares tokens, but no token column. Add HasFencingToken(…), or make the trigger strict.");
        }
    }

    private static void CheckLength(string name, string resource)
    {
        if (string.IsNullOrWhiteSpace(resource) || resource.Length > TokenTable.MaxNameLength)
        {
            throw new FencingConfigurationException(name, $"'{name}' is fenced by a resource whose name has {resource.Length} characters. Give it a name of 1 to {TokenTable.MaxNameLength}.");
        }
    }

    private static void CheckProperty(IReadOnlyEntityType type, string name, string property)
    {
        if (type.FindProperty(property) is not { } found)
        {
            throw new FencingConfigurationException(name, $"'{name}' is fenced by a name with '{property}', which is not a mapped property of it. Use one that is (for an owner's or a parent's key: the foreign key).");
        }

        if (!ResourceTemplate.Supports(found.ClrType) || IsConverted(found))
        {
            throw new FencingConfigurationException(
                name, $"'{name}' is fenced by a name with '{property}', a '{found.ClrType.Name}'{(IsConverted(found) ? " with a value converter" : "")}, whose text may differ between .NET and PostgreSQL. "
                + "Use a property of type string, short, int, long or Guid without converter.");
        }
    }

    private static bool IsConverted(IReadOnlyProperty property) => property.GetValueConverter() is not null || property.GetProviderClrType() is not null;
}
