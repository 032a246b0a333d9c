using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using EfConcurrency.Idempotency;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>What a request looks like. The body is read to its end while it is hashed, and can be read again afterwards.</summary>
internal static class RequestFingerprint
{
    private const int BufferSize = 16 * 1024;

    /// <exception cref="RequestTooLargeException">The body is too large.</exception>
    public static async Task<IdempotencyFingerprint> OfAsync(HttpContext context, IdempotentHttpOptions options, CancellationToken cancellationToken)
    {
        var request = context.Request;
        var parts = options.Fingerprint;
        using var fingerprint = new IdempotencyFingerprintBuilder();
        fingerprint.Add(((int)parts).ToString(CultureInfo.InvariantCulture));
        if (parts.HasFlag(FingerprintParts.Method))
        {
            fingerprint.Add(request.Method);
        }

        if (parts.HasFlag(FingerprintParts.Route))
        {
            AddRoute(fingerprint, context);
        }

        if (parts.HasFlag(FingerprintParts.Query))
        {
            foreach (var (name, values) in request.Query.OrderBy(q => q.Key, StringComparer.Ordinal))
            {
                fingerprint.Add(name).Add(values.Count.ToString(CultureInfo.InvariantCulture));
                Array.ForEach(values.ToArray(), v => fingerprint.Add(v));
            }
        }

        if (parts.HasFlag(FingerprintParts.ContentType))
        {
            fingerprint.Add("content-type").Add(request.ContentType);
        }

        if (parts.HasFlag(FingerprintParts.Preconditions))
        {
            fingerprint.Add("if-match").Add(request.Headers[HeaderNames.IfMatch].ToString()).Add(request.Headers[HeaderNames.IfNoneMatch].ToString());
        }

        var body = await ReadBodyAsync(request, options.MaxRequestBytes, cancellationToken).ConfigureAwait(false);
        if (parts.HasFlag(FingerprintParts.Body))
        {
            fingerprint.Add("body").Add(body);
        }

        return fingerprint.Build(options.FingerprintVersion);
    }

    private static void AddRoute(IdempotencyFingerprintBuilder fingerprint, HttpContext context)
    {
        fingerprint.Add((context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? context.Request.Path.Value);
        foreach (var (name, value) in context.Request.RouteValues.OrderBy(v => v.Key, StringComparer.OrdinalIgnoreCase))
        {
            fingerprint.Add(name).Add(Convert.ToString(value, CultureInfo.InvariantCulture));
        }
    }

    /// <summary>The hash of the body, which a length before it can't precede while it is streamed.</summary>
    private static async Task<byte[]> ReadBodyAsync(HttpRequest request, long limit, CancellationToken cancellationToken)
    {
        if (request.ContentLength > limit)
        {
            throw TooLarge(limit);
        }

        request.EnableBuffering();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var total = 0L;
            int read;
            while ((read = await request.Body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                if ((total += read) > limit)
                {
                    throw TooLarge(limit);
                }

                hash.AppendData(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }

        request.Body.Position = 0;
        return hash.GetHashAndReset();
    }

    private static RequestTooLargeException TooLarge(long limit) => new(limit);
}
