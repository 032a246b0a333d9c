namespace EfConcurrency.RabbitMQ;

/// <summary>State of one connection.</summary>
/// <param name="Name">Whose it is: <c>transport rabbitmq</c>, <c>consumer billing</c>.</param>
/// <param name="Broker">Host and port; of a cluster the node that it was first told.</param>
/// <param name="IsConnected">Whether it is open. A transport connects with its first message.</param>
/// <param name="Failures">Attempts and connections that have failed since it was last stable.</param>
/// <param name="LastError">What it failed with last; null when it is open, or was never tried.</param>
public sealed record RabbitMqConnectionStatus(string Name, string Broker, bool IsConnected, int Failures, string? LastError);
