namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>What of a request must be the same when its key comes again.</summary>
[Flags]
public enum FingerprintParts
{
    /// <summary>Nothing: whatever comes with the key is a repetition.</summary>
    None = 0,

    /// <summary>The method.</summary>
    Method = 1,

    /// <summary>The route's template and values.</summary>
    Route = 2,

    /// <summary>The query, in the order of its names.</summary>
    Query = 4,

    /// <summary><c>Content-Type</c>.</summary>
    ContentType = 8,

    /// <summary>The octets of the body.</summary>
    Body = 16,

    /// <summary><c>If-Match</c> and <c>If-None-Match</c>.</summary>
    Preconditions = 32,

    /// <summary>All of it. The default.</summary>
    All = Method | Route | Query | ContentType | Body | Preconditions,
}
