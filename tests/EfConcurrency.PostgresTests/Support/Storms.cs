namespace EfConcurrency.PostgresTests.Support;

/// <summary>Tests that start many busy processes run when all others are done, one after the other: beside them, nothing else gets a turn on two cores.</summary>
[CollectionDefinition(nameof(Storms), DisableParallelization = true)]
public sealed class Storms;
