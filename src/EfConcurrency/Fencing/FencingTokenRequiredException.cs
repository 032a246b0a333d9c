namespace EfConcurrency.Fencing;

/// <summary>Rows that are fenced were to be written with no token of their resource in scope. Nothing was written.</summary>
public sealed class FencingTokenRequiredException : InvalidOperationException
{
    internal FencingTokenRequiredException(string resource, string? entityType, Exception? inner = null)
        : base(
            $"{(entityType is null ? "The rows" : $"'{entityType}'")} can be written only under a fencing token of '{resource}', and this write carries none. "
            + "Wrap it in using (db.UseLease(lease)), or db.UseFencingToken(resource, token) for a token from elsewhere. "
            + "For raw SQL call db.PresentFencingTokensAsync() first, in the same transaction.",
            inner)
    {
        Resource = resource;
        EntityType = entityType;
    }

    /// <summary>The resource whose token is missing; for rows fenced one by one, the pattern of its name.</summary>
    public string Resource { get; }

    /// <summary>Display name of the entity type; null when the database refused the write.</summary>
    public string? EntityType { get; }
}
