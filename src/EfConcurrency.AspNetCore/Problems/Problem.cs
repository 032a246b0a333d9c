namespace EfConcurrency.AspNetCore.Problems;

/// <summary>What a client is told about one kind of error: nothing of the data, nothing of the server.</summary>
/// <param name="Name">Last part of the type URI. Part of the API: never rename one.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Title">The kind of problem; the same for every occurrence.</param>
/// <param name="Detail">What to do.</param>
internal sealed record Problem(string Name, int Status, string Title, string Detail)
{
    /// <summary>Whether the same request may succeed later, so that <c>Retry-After</c> is sent.</summary>
    public bool MayBeRetried { get; init; }

    /// <summary>How long to wait, where the exception knows better than the options.</summary>
    public Func<Exception, TimeSpan?> Wait { get; init; } = static _ => null;
}
