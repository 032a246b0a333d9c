namespace EfConcurrency.Fencing;

/// <summary>A fence is declared in a way in which it could not be checked. Thrown while the model is built.</summary>
public sealed class FencingConfigurationException : InvalidOperationException
{
    internal FencingConfigurationException(string entityType, string message)
        : base(message)
        => EntityType = entityType;

    /// <summary>Display name of the entity type.</summary>
    public string EntityType { get; }
}
