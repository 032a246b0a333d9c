using System.Collections.Frozen;
using System.Security.Claims;
using EfConcurrency.Idempotency;
using Microsoft.AspNetCore.Http;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>How requests with an <c>Idempotency-Key</c> are handled. <c>AddIdempotency</c> sets the defaults, each endpoint may change them.</summary>
public sealed class IdempotentHttpOptions
{
    /// <summary>Headers that belong to the first caller or to the moment, or that the server makes.</summary>
    private static readonly FrozenSet<string> NeverReplayed = new[]
    {
        "Set-Cookie", "Date", "Authorization", "WWW-Authenticate", "Proxy-Authenticate", "Authentication-Info", "traceparent", "tracestate", "Request-Id",
        "Server", "Connection", "Transfer-Encoding", "Content-Length", "Trailer", "Age",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private readonly HashSet<string> _replayedHeaders = new(StringComparer.OrdinalIgnoreCase)
    {
        "Location", "ETag", "Link", "Retry-After", "Content-Type", "Content-Language", "Content-Encoding", "Content-Disposition", "Content-Location", "Last-Modified",
    };

    /// <summary>
    /// Whose key it is: tenant and principal, for example. Two callers may choose the same key, so there is no default. The operation (method and
    /// route) is added by itself. Null: the caller has no identity.
    /// </summary>
    /// <value>none: must be set; see <see cref="ScopeByUser"/></value>
    public Func<HttpContext, string?>? Scope { get; set; }

    /// <summary>
    /// Whether callers without an identity are served, all in one scope: any of them is given the response of any other who chose the same
    /// key. Only where keys are random and responses are no secret.
    /// </summary>
    /// <value>false: such requests fail</value>
    public bool AllowAnonymous { get; set; }

    /// <summary>Whether a request without a key is refused (400); else it is handled as if the endpoint were not idempotent.</summary>
    /// <value>true</value>
    public bool RequireKey { get; set; } = true;

    /// <summary>Shorter keys are refused; 1 to 255. Short keys can be guessed, or chosen twice.</summary>
    /// <value>1</value>
    public int MinKeyLength { get; set; } = 1;

    /// <summary>Larger request bodies are refused (413): the body is read in full before anything is done, to compare it.</summary>
    /// <value>1048576 (1 MiB)</value>
    public long MaxRequestBytes { get; set; } = 1024 * 1024;

    /// <summary>What of a request must be the same when its key comes again.</summary>
    /// <value><see cref="FingerprintParts.All"/></value>
    public FingerprintParts Fingerprint { get; set; } = FingerprintParts.All;

    /// <summary>Change it together with <see cref="Fingerprint"/>: fingerprints of different versions are not compared.</summary>
    /// <value><see cref="IdempotencyFingerprint.CurrentVersion"/></value>
    public short FingerprintVersion { get; set; } = IdempotencyFingerprint.CurrentVersion;

    /// <summary>
    /// Headers of the response that are kept and replayed. Never <c>Set-Cookie</c>, <c>Date</c>, or what carries credentials or a trace: these are
    /// the first caller's, or the moment's.
    /// </summary>
    /// <value>Location, ETag, Link, Retry-After, Last-Modified, Content-Type, -Language, -Encoding, -Disposition and -Location</value>
    public ICollection<string> ReplayedHeaders => _replayedHeaders;

    /// <summary>What a repetition gets whose first response was too large to be kept.</summary>
    /// <value><see cref="OmittedBodyReplay.SeeLocation"/></value>
    public OmittedBodyReplay OnOmittedBody { get; set; } = OmittedBodyReplay.SeeLocation;

    /// <summary>
    /// When the client is gone, the handler may go on for so long, so that the repetition finds the response; then its token is cancelled, and
    /// nothing is committed.
    /// </summary>
    /// <value>30 seconds</value>
    public TimeSpan DisconnectGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc cref="IdempotencyOptions.Mode"/>
    public IdempotencyMode Mode { get; set; } = IdempotencyMode.SameTransaction;

    /// <inheritdoc cref="IdempotencyOptions.Retention"/>
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(24);

    /// <inheritdoc cref="IdempotencyOptions.OnInFlight"/>
    public IdempotencyInFlight OnInFlight { get; set; } = IdempotencyInFlight.Reject;

    /// <inheritdoc cref="IdempotencyOptions.LockTimeout"/>
    public TimeSpan LockTimeout { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <inheritdoc cref="IdempotencyOptions.RetryAfter"/>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <inheritdoc cref="IdempotencyOptions.Lease"/>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc cref="IdempotencyOptions.OnAmbiguous"/>
    public IdempotencyAmbiguity OnAmbiguous { get; set; } = IdempotencyAmbiguity.RunAgain;

    /// <inheritdoc cref="IdempotencyOptions.MaxStoredBytes"/>
    public int MaxStoredBytes { get; set; } = 256 * 1024;

    /// <inheritdoc cref="IdempotencyOptions.StoreBody"/>
    public bool StoreBody { get; set; } = true;

    /// <inheritdoc cref="IdempotencyOptions.StoreTimeout"/>
    public TimeSpan StoreTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc cref="IdempotencyOptions.Protector"/>
    public IIdempotencyProtector? Protector { get; set; }

    internal Func<IServiceProvider, IIdempotencyProtector>? ProtectorFactory { get; private set; }

    /// <summary>The scope is the user: issuer and value of a claim. Requests without it have no identity.</summary>
    /// <param name="claimType">The claim; by default the name identifier, or <c>sub</c>.</param>
    /// <returns>These options.</returns>
    public IdempotentHttpOptions ScopeByUser(string? claimType = null)
    {
        Scope = context =>
        {
            var user = context.User;
            var claim = claimType is null ? user.FindFirst(ClaimTypes.NameIdentifier) ?? user.FindFirst("sub") : user.FindFirst(claimType);
            return claim is null || user.Identity?.IsAuthenticated != true ? null : $"{claim.Issuer}~{claim.Value}";
        };
        return this;
    }

    /// <summary>Encrypts stored bodies with ASP.NET Core's Data Protection, bound to scope and key. Its keys must outlive <see cref="Retention"/>.</summary>
    /// <returns>These options.</returns>
    public IdempotentHttpOptions UseDataProtection()
    {
        ProtectorFactory = DataProtectionIdempotencyProtector.Create;
        return this;
    }

    /// <exception cref="IdempotencyScopeException">There is no scope.</exception>
    /// <exception cref="ArgumentException">An option makes no sense; the message names it.</exception>
    internal void Validate()
    {
        if (Scope is null && !AllowAnonymous)
        {
            throw new IdempotencyScopeException(
                "Idempotency has no scope: it must be said whose a key is, or one caller is given another's response. Set o.Scope, or call o.ScopeByUser(); for endpoints without callers' identities set o.AllowAnonymous.");
        }

        if (MinKeyLength is < 1 or > IdempotencyKey.MaxKeyOctets)
        {
            throw new ArgumentOutOfRangeException(nameof(MinKeyLength), MinKeyLength, $"MinKeyLength must be from 1 to {IdempotencyKey.MaxKeyOctets}.");
        }

        ArgumentOutOfRangeException.ThrowIfNegative(MaxRequestBytes, nameof(MaxRequestBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(DisconnectGrace, TimeSpan.Zero, nameof(DisconnectGrace));
        if (Mode == IdempotencyMode.InsertLast)
        {
            throw new ArgumentException("Mode = InsertLast keeps the response with the work's own save, before a web request has its response. Use SameTransaction.", nameof(Mode));
        }

        if (ReplayedHeaders.FirstOrDefault(NeverReplayed.Contains) is { } header)
        {
            throw new ArgumentException($"ReplayedHeaders holds '{header}', which is the first caller's, the moment's, or the server's, and is never replayed. Remove it.", nameof(ReplayedHeaders));
        }
    }
}
