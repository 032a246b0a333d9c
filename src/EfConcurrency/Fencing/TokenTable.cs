using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.Fencing;

/// <summary>The table of current tokens (the lease table). Its columns have fixed names, by which SQL functions know them too.</summary>
internal static class TokenTable
{
    public const string Name = "name";
    public const string Token = "fencing_token";
    public const string Holder = "holder";
    public const string HolderInfo = "holder_info";
    public const string AcquiredAt = "acquired_at";
    public const string RenewedAt = "renewed_at";
    public const string ExpiresAt = "expires_at";

    /// <summary>Longest name of a resource, in characters.</summary>
    public const int MaxNameLength = 200;

    public static IReadOnlyEntityType? FindEntityType(IReadOnlyModel model)
        => model.GetEntityTypes().FirstOrDefault(t => t.FindAnnotation(FencingAnnotations.TokenTable)?.Value is true);

    /// <exception cref="ArgumentException">The name is empty, or too long.</exception>
    public static void CheckName(string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name, parameter);
        if (name.Length > MaxNameLength)
        {
            throw new ArgumentException($"The name has {name.Length} characters; at most {MaxNameLength} are allowed. It starts '{name[..40]}'.", parameter);
        }
    }
}
