using System.Threading.Channels;
using EfConcurrency.PostgresTests.Versioning;
using EfConcurrency.Resilience;
using Npgsql;

namespace EfConcurrency.PostgresTests.Resilience;

/// <summary>What the server says about a commit whose reply was lost.</summary>
public sealed class CommitOutcomeTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_transaction_in_progress_is_asked_for_until_it_has_ended(bool commits)
    {
        await using var connection = new NpgsqlConnection(shop.ConnectionString);
        await connection.OpenAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        var ticket = await TicketAsync(connection);
        await using var db = shop.Open();
        var time = new CountingTime();

        var asking = CommitOutcome.AskAsync(db, ticket, time);
        var asksOn = time.Paused(times: 3);
        Assert.Same(asksOn, await Task.WhenAny(asking, asksOn));
        await (commits ? transaction.CommitAsync(Token) : transaction.RollbackAsync(Token));

        Assert.Equal(commits ? CommitStatus.Committed : CommitStatus.Aborted, await asking);
    }

    [Fact]
    public async Task A_transaction_that_does_not_end_in_30_seconds_is_unknown()
    {
        await using var connection = new NpgsqlConnection(shop.ConnectionString);
        await connection.OpenAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        var ticket = await TicketAsync(connection);
        await using var db = shop.Open();

        Assert.Equal(CommitStatus.Unknown, await CommitOutcome.AskAsync(db, ticket, new CountingTime { SecondsPerLook = 7 }));
    }

    [Fact]
    public async Task A_transaction_of_another_timeline_or_of_the_future_is_unknown()
    {
        await using var connection = new NpgsqlConnection(shop.ConnectionString);
        await connection.OpenAsync(Token);
        var ticket = await TicketAsync(connection); // committed: it was a statement of its own
        await using var db = shop.Open();

        Assert.Equal(CommitStatus.Committed, await CommitOutcome.AskAsync(db, ticket, TimeProvider.System));
        Assert.Equal(CommitStatus.Unknown, await CommitOutcome.AskAsync(db, ticket with { Timeline = "000000FF" }, TimeProvider.System));
        Assert.Equal(CommitStatus.Unknown, await CommitOutcome.AskAsync(db, ticket with { TransactionId = "99999999999" }, TimeProvider.System));
    }

    private static async Task<CommitTicket> TicketAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(ResilienceSql.Ticket, connection);
        await using var reader = await command.ExecuteReaderAsync(Token);
        await reader.ReadAsync(Token);
        return new(reader.GetString(0), reader.GetString(1));
    }

    /// <summary>Pauses take no time, and are counted; time goes by when it is looked at.</summary>
    private sealed class CountingTime : TimeProvider
    {
        private readonly Channel<int> _pauses = Channel.CreateUnbounded<int>();
        private long _now;

        public int SecondsPerLook { get; init; }

        public override long GetTimestamp() => Interlocked.Add(ref _now, SecondsPerLook * TimestampFrequency);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _pauses.Writer.TryWrite(1);
            return System.CreateTimer(callback, state, TimeSpan.Zero, period);
        }

        public async Task Paused(int times)
        {
            for (var i = 0; i < times; i++)
            {
                await _pauses.Reader.ReadAsync(Token);
            }
        }
    }
}
