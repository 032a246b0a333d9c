namespace EfConcurrency.Benchmarks.Harness;

/// <summary>One way to do the work that is measured.</summary>
/// <param name="Name">As it stands in the table.</param>
/// <param name="Workers">The operation, one for each worker; each has its own context and rows.</param>
internal sealed record Contender(string Name, IReadOnlyList<Func<Task>> Workers);
