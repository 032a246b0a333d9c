using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.Fencing;

/// <summary>
/// This process no longer holds what it believed to hold: another has acquired the lease, and the database refused the write. Nothing was
/// written. It is final: no retry, of this library or of EF, repeats it. Stop the work; whoever holds the newer token does it.
/// </summary>
/// <remarks>https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html</remarks>
public sealed class FencingTokenRejectedException : DbUpdateConcurrencyException, IFinalRefusal
{
    internal FencingTokenRejectedException(
        string resource, long? token, long? currentToken, string? currentHolder, string? entityType = null, IReadOnlyList<IUpdateEntry>? entries = null, Exception? inner = null)
        : base(Describe(resource, token, currentToken, currentHolder, entityType), inner, entries ?? [])
    {
        Resource = resource;
        Token = token;
        CurrentToken = currentToken;
        CurrentHolder = currentHolder;
        EntityType = entityType;
    }

    /// <summary>What the token fences: the name of the lease.</summary>
    public string Resource { get; }

    /// <summary>The token that was refused; null when a statement carried none.</summary>
    public long? Token { get; }

    /// <summary>The token that is current; null when it could not be read.</summary>
    public long? CurrentToken { get; }

    /// <summary>Who holds the lease now, in the words that holder gave; null when nobody does, or it could not be read.</summary>
    public string? CurrentHolder { get; }

    /// <summary>Display name of the entity whose row carries a newer token; null when the lease itself is held by another.</summary>
    public string? EntityType { get; }

    private static string Describe(string resource, long? token, long? currentToken, string? currentHolder, string? entityType)
    {
        var current = currentToken is null ? "" : $" The current token is {currentToken}{(currentHolder is null ? "" : $", held by '{currentHolder}'")}.";
        var row = entityType is null ? "" : $" A row of '{entityType}' was already written under it.";
        return $"Nothing was written: fencing token {token?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "(none)"} of '{resource}' is stale.{current}{row} "
            + "This process has lost the lease (a pause, a cut, a forced release): stop the work that it protects.";
    }
}
