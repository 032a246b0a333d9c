namespace EfConcurrency.Versioning;

/// <summary>
/// The program assigned a version property. Only the library writes it; to check against a version that came from elsewhere, use
/// <c>db.Expect(entity, version)</c>. Nothing was written.
/// </summary>
public sealed class VersionAssignedException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="entityType">Display name of the entity type.</param>
    /// <param name="propertyName">Name of the version property.</param>
    /// <param name="read">The version that was read.</param>
    /// <param name="assigned">The version that was assigned.</param>
    public VersionAssignedException(string entityType, string propertyName, object? read, object? assigned)
        : base($"'{entityType}.{propertyName}' was read as {read} and then assigned {assigned}. The library alone writes a version. "
            + $"To save against a version that a client sent, call db.Expect(entity, {assigned}) and leave the property alone; "
            + $"if values were copied from another object, leave '{propertyName}' out.")
    {
        EntityType = entityType;
        PropertyName = propertyName;
    }

    /// <summary>Display name of the entity type.</summary>
    public string EntityType { get; }

    /// <summary>Name of the version property.</summary>
    public string PropertyName { get; }
}
