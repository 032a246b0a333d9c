namespace EfConcurrency.Versioning;

/// <summary>The model declares a version column in a way that can't work. Thrown while the model is built, before anything is written.</summary>
public sealed class VersionConfigurationException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="entityType">Display name of the entity type.</param>
    /// <param name="message">What is wrong and what to do.</param>
    public VersionConfigurationException(string entityType, string message)
        : base(message)
        => EntityType = entityType;

    /// <summary>Display name of the entity type whose declaration is wrong.</summary>
    public string EntityType { get; }
}
