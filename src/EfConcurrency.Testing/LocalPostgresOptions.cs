namespace EfConcurrency.Testing;

/// <summary>Settings of a <see cref="LocalPostgres"/>.</summary>
public sealed class LocalPostgresOptions
{
    /// <summary>Whether commits wait for the disk (<c>fsync</c>). Tests are faster without; measurements want it.</summary>
    /// <value><see langword="false"/></value>
    public bool Durable { get; init; }

    /// <summary>PostgreSQL's <c>max_connections</c>.</summary>
    /// <value>200</value>
    public int MaxConnections { get; init; } = 200;

    /// <summary>Further settings, by their name in <c>postgresql.conf</c>. Not applied to a server named by <c>EFC_POSTGRES</c>.</summary>
    /// <value>none</value>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
