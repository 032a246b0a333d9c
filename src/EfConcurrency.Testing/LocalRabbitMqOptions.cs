namespace EfConcurrency.Testing;

/// <summary>Settings of a <see cref="LocalRabbitMq"/>.</summary>
public sealed class LocalRabbitMqOptions
{
    /// <summary>Further settings, by their name in <c>rabbitmq.conf</c>. Not applied to a broker named by <c>EFC_RABBITMQ</c>.</summary>
    /// <value>none</value>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
