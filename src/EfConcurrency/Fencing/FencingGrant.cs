namespace EfConcurrency.Fencing;

/// <summary>A token that is in scope on a context.</summary>
/// <param name="Resource">What it fences.</param>
/// <param name="Token">The token.</param>
/// <param name="Holder">The acquisition of the lease that it comes from; null for a token from elsewhere.</param>
/// <param name="Check">Throws when the lease was given up by this process itself.</param>
internal sealed record FencingGrant(string Resource, long Token, Guid? Holder = null, Action? Check = null)
{
    /// <summary>The token as EF's change tracker takes it: boxed once, not for each row.</summary>
    public object Value { get; } = Token;

    /// <summary>Whether it comes from a lease of this library, whose row then proves that it is current.</summary>
    public bool IsLease => Holder is not null;
}
