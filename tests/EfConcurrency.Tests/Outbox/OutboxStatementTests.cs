using EfConcurrency.Messaging;
using EfConcurrency.Outbox;

namespace EfConcurrency.Tests.Outbox;

/// <summary>A save of huge messages is cut into statements that the server can take.</summary>
public sealed class OutboxStatementTests
{
    [Theory]
    [InlineData(new[] { 10, 10, 10 }, 3)]
    [InlineData(new[] { 10, 10, 11 }, 2)]
    [InlineData(new[] { 31, 1 }, 1)]
    [InlineData(new[] { 100 }, 1)]
    [InlineData(new[] { 1, 100 }, 1)]
    public void Messages_of_one_statement_stay_within_its_limit_but_one_always_goes(int[] sizes, int expected)
    {
        OutboxMessage[] messages = [.. sizes.Select(s => new OutboxMessage(new MessageContract(typeof(string), "a.v1", "a", null), Guid.Empty, 0, null, "", new byte[s], null))];
        Assert.Equal(expected, OutboxStatement.Fitting(messages, maxBytes: 30));
    }
}
