namespace Bank.Storm;

/// <summary>Size of the storm.</summary>
/// <param name="Scale">Branches; each has 10 tellers and 100,000 accounts, as pgbench makes them.</param>
/// <param name="Workers">Worker processes.</param>
/// <param name="Seconds">Length of each of the three runs.</param>
/// <param name="Seed">Fixes the transfers of each worker.</param>
public sealed record StormSettings(int Scale, int Workers, int Seconds, int Seed);
