using EfConcurrency.AspNetCore.OpenApi;
using Microsoft.AspNetCore.OpenApi;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>OpenAPI documents.</summary>
public static class OpenApiConcurrencyExtensions
{
    /// <summary>
    /// Describes what <c>WithETag()</c>, <c>RequireIfMatch()</c> and <c>WithIdempotency()</c>, and their MVC attributes, add to an operation:
    /// header parameters, response headers, problem responses. <c>services.AddOpenApi(o => o.AddEfConcurrency())</c>.
    /// </summary>
    /// <param name="options">The options of the document.</param>
    /// <returns><paramref name="options"/>.</returns>
    public static OpenApiOptions AddEfConcurrency(this OpenApiOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.AddOperationTransformer(new ConcurrencyOperationTransformer());
    }
}
