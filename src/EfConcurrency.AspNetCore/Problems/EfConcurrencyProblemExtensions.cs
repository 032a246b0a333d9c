using EfConcurrency.AspNetCore.Problems;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers problem details.</summary>
public static class EfConcurrencyProblemExtensions
{
    /// <summary>
    /// Answers requests that end in an exception of the library with problem details (RFC 9457), their status and <c>Retry-After</c>. Needs
    /// <c>app.UseExceptionHandler()</c>. Bodies hold no data of rows, no keys, no SQL. Mistakes of the program stay a plain 500.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Changes the defaults.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="ArgumentException">An option makes no sense.</exception>
    public static IServiceCollection AddEfConcurrencyProblemDetails(this IServiceCollection services, Action<EfConcurrencyProblemOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = new EfConcurrencyProblemOptions();
        configure?.Invoke(options);
        options.Validate();
        return services.AddProblemDetails().AddSingleton(options).AddExceptionHandler<EfConcurrencyExceptionHandler>();
    }
}
