namespace EfConcurrency.Idempotency;

/// <summary>Encrypts what is stored of responses. Bound to scope and key: a body moved to another key must not open.</summary>
public interface IIdempotencyProtector
{
    /// <summary>Stored beside the body; names the key or the scheme, so that keys can be rotated.</summary>
    string ProtectionKeyId { get; }

    /// <summary>Encrypts and authenticates a body.</summary>
    /// <param name="body">The body.</param>
    /// <param name="associatedData">Scope and key, to be authenticated with it.</param>
    /// <returns>What is stored.</returns>
    byte[] Protect(ReadOnlySpan<byte> body, ReadOnlySpan<byte> associatedData);

    /// <summary>The opposite of <see cref="Protect"/>.</summary>
    /// <param name="protectedBody">What was stored.</param>
    /// <param name="associatedData">Scope and key.</param>
    /// <param name="protectionKeyId">What <see cref="ProtectionKeyId"/> was then.</param>
    /// <returns>The body.</returns>
    byte[] Unprotect(ReadOnlySpan<byte> protectedBody, ReadOnlySpan<byte> associatedData, string protectionKeyId);
}
