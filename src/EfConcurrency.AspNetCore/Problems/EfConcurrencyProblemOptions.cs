namespace EfConcurrency.AspNetCore.Problems;

/// <summary>How errors of the library are told to clients.</summary>
public sealed class EfConcurrencyProblemOptions
{
    /// <summary>What the <c>type</c> URIs begin with. Set it to a page of yours that explains the problems; it then ends with <c>/</c> or <c>#</c>.</summary>
    /// <value><c>urn:efconcurrency:problem:</c></value>
    public string TypePrefix { get; set; } = "urn:efconcurrency:problem:";

    /// <summary>The <c>Retry-After</c> of problems that a later attempt may not have; sent in whole seconds, rounded up.</summary>
    /// <value>1 second</value>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <exception cref="ArgumentException">An option makes no sense; the message names it.</exception>
    internal void Validate()
    {
        if (!Uri.TryCreate(TypePrefix + "x", UriKind.RelativeOrAbsolute, out _) || string.IsNullOrWhiteSpace(TypePrefix))
        {
            throw new ArgumentException($"TypePrefix '{TypePrefix}' does not begin a URI. Use something like 'https://example.org/problems/'.", nameof(TypePrefix));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(RetryAfter, TimeSpan.Zero, nameof(RetryAfter));
    }
}
