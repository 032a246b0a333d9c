namespace EfConcurrency.Benchmarks.Harness;

/// <summary>One way to do the work that is measured.</summary>
/// <param name="Name">As it stands in the table.</param>
/// <param name="Workers">The operation, one for each worker; each has its own context and rows.</param>
internal sealed record Contender(string Name, IReadOnlyList<Func<Task>> Workers)
{
    /// <summary>What there is while its slices run, and not while the others' do; null: nothing.</summary>
    public Func<IDisposable>? During { get; init; }
}
