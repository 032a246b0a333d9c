namespace EfConcurrency.Tool.Database;

/// <summary>The clock by which everything in the tables is dated.</summary>
internal static class DatabaseClock
{
    public static async Task<DateTimeOffset> NowAsync(OperatorDatabase database, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(ClockSql.Now);
        return new((DateTime)(await command.ExecuteScalarAsync(cancellationToken))!);
    }
}
