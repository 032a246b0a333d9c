using System.Collections.Frozen;
using EfConcurrency.AspNetCore.OpenApi;
using EfConcurrency.Idempotency;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>The settings of one endpoint, checked once. Metadata of the endpoint.</summary>
internal sealed class IdempotentEndpoint : IOperationDescription
{
    private readonly IdempotencyRegistration _registration;

    private IdempotentEndpoint(IdempotentHttpOptions options, IdempotencyRegistration registration, IServiceProvider services)
    {
        _registration = registration;
        Options = options;
        ReplayedHeaders = options.ReplayedHeaders.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        Storage = new()
        {
            Mode = options.Mode,
            Retention = options.Retention,
            OnInFlight = options.OnInFlight,
            LockTimeout = options.LockTimeout,
            RetryAfter = options.RetryAfter,
            Lease = options.Lease,
            OnAmbiguous = options.OnAmbiguous,
            MaxStoredBytes = options.MaxStoredBytes,
            StoreBody = options.StoreBody,
            StoreTimeout = options.StoreTimeout,
            Protector = options.ProtectorFactory?.Invoke(services) ?? options.Protector,
        };
        Storage.Validate();
    }

    public IdempotentHttpOptions Options { get; }

    public IdempotencyOptions Storage { get; }

    public FrozenSet<string> ReplayedHeaders { get; }

    /// <summary>The defaults of <c>AddIdempotency</c>, changed for one endpoint.</summary>
    /// <exception cref="InvalidOperationException">Idempotency is not registered.</exception>
    /// <exception cref="IdempotencyScopeException">There is no scope.</exception>
    /// <exception cref="ArgumentException">An option makes no sense; the message names it.</exception>
    public static IdempotentEndpoint Of(IServiceProvider services, Action<IdempotentHttpOptions>? configure)
    {
        var registration = services.GetService<IdempotencyRegistration>()
            ?? throw new InvalidOperationException("An endpoint is idempotent, but idempotency is not registered. Call services.AddIdempotency<TContext>(o => o.ScopeByUser()).");
        var options = registration.CreateOptions();
        configure?.Invoke(options);
        options.Validate();
        return new(options, registration, services);
    }

    /// <summary>The context whose transaction the work is done in: the one that the handler is given too.</summary>
    public DbContext Context(HttpContext context) => (DbContext)context.RequestServices.GetRequiredService(_registration.ContextType);

    public void Describe(OpenApiOperation operation, bool isRead)
    {
        if (!isRead)
        {
            DescribeWrite(operation, Options.RequireKey);
        }
    }

    public static void DescribeWrite(OpenApiOperation operation, bool requireKey)
    {
        OperationText.AddHeader(operation, IdempotencyKeyHeader.Name, "Names the operation. A repetition carries the same key and gets the first response.", requireKey);
        OperationText.AddProblem(operation, 400, "Idempotency-Key is missing or malformed.");
        OperationText.AddProblem(operation, 409, "The operation with this key is still being worked on.");
        OperationText.AddProblem(operation, 413, "The body is too large to be compared.");
        OperationText.AddProblem(operation, 422, "The key was used before with another request.");
        OperationText.AddResponseHeader(operation, 409, "Retry-After", "Seconds to wait.");
        OperationText.AddSuccessHeader(operation, IdempotencyKeyHeader.Replayed, "true, when this is the first response again.");
        OperationText.AddSuccessHeader(operation, IdempotencyKeyHeader.Name, "The key of the request.");
    }
}
