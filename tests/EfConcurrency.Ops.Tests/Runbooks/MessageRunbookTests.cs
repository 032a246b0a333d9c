using EfConcurrency.Ops.Tests.Runbooks.Incidents;

namespace EfConcurrency.Ops.Tests.Runbooks;

/// <summary>The pages about outbox, inbox and RabbitMQ.</summary>
public sealed class MessageRunbookTests(IncidentDatabases databases) : RunbookTests(databases), IClassFixture<IncidentDatabases>
{
    internal static readonly Dictionary<string, Func<Incident>> Incidents = new(StringComparer.Ordinal)
    {
        ["EfConcurrencyInboxFailing"] = static () => new FailingMessage(),
        ["EfConcurrencyInboxMessagesRejected"] = static () => new PoisonMessage(),
        ["EfConcurrencyOutboxDeadLetters"] = static () => new PoisonMessage(),
        ["EfConcurrencyOutboxLagHigh"] = static () => new StuckOutbox(),
        ["EfConcurrencyOutboxNotServed"] = static () => new UnservedOutbox(),
        ["EfConcurrencyOutboxTransportDown"] = static () => new StuckOutbox(),
        ["EfConcurrencyRabbitMqDeadLetters"] = static () => new PoisonMessage(),
        ["EfConcurrencyRabbitMqDisconnected"] = static () => new StuckOutbox(),
    };

    public static TheoryData<string> Pages => [.. Incidents.Keys];

    [Theory]
    [MemberData(nameof(Pages))]
    public Task The_commands_of_a_page_do_what_it_says(string name) => FollowAsync(name, Incidents[name]);
}
