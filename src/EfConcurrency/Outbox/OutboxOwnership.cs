using System.Globalization;

namespace EfConcurrency.Outbox;

/// <summary>Who leads: an id for each start of a dispatcher, and a name for people.</summary>
internal sealed record OutboxOwnership(string Id, string Name)
{
    public static OutboxOwnership New()
        => new(Guid.CreateVersion7().ToString(), string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Environment.ProcessId}"));
}
