namespace EfConcurrency.RabbitMQ.Tests.Support;

/// <summary>A message as a plain client reads it.</summary>
internal sealed record Letter(string Id, string Type, IReadOnlyDictionary<string, string> Headers, string Body, bool IsPersistent, string? ContentType);
