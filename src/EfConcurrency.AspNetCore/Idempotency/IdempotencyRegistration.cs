namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>What <c>AddIdempotency</c> was told. The options are made anew for each endpoint, because an endpoint may change them.</summary>
internal sealed class IdempotencyRegistration(Type contextType, Action<IdempotentHttpOptions> configure)
{
    public Type ContextType => contextType;

    /// <summary>Fails at start-up, not at the first request.</summary>
    public void Validate() => CreateOptions().Validate();

    public IdempotentHttpOptions CreateOptions()
    {
        var options = new IdempotentHttpOptions();
        configure(options);
        return options;
    }
}
