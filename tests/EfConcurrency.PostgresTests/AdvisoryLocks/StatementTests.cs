using EfConcurrency.AdvisoryLocks;
using Npgsql;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>The server understands every statement of the room, in every form.</summary>
public sealed class StatementTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_statement_can_be_prepared()
    {
        var names = new AdvisoryLockNameTable("(select 1::bigint as key, '' as namespace, '' as name)", "key", "namespace", "name");
        string[] statements =
        [
            .. from place in Enum.GetValues<LockPlace>()
               from mode in Enum.GetValues<AdvisoryLockMode>()
               from shape in Enum.GetValues<KeyShape>()
               select AdvisoryLocksSql.Take(place, mode, shape, "/* 1 = x */ "),
            .. from mode in Enum.GetValues<AdvisoryLockMode>()
               from shape in Enum.GetValues<KeyShape>()
               select AdvisoryLocksRideSql.Statement(mode, shape).Replace("{0}", "$1", StringComparison.Ordinal).Replace("{1}", "$2", StringComparison.Ordinal).Replace("{2}", "$3", StringComparison.Ordinal),
            .. from place in (LockPlace[])[LockPlace.OwnTransaction, LockPlace.CallersTransaction]
               from mode in Enum.GetValues<AdvisoryLockMode>()
               from shape in (KeyShape[])[KeyShape.Number, KeyShape.Pair]
               select AdvisoryLocksSql.Try(place, mode, shape),
            AdvisoryLocksSql.PrepareSession,
            AdvisoryLocksSql.ReleaseAll,
            AdvisoryLocksSql.KeepAlive(""),
            AdvisoryLocksSql.Unlock(AdvisoryLockMode.Exclusive),
            AdvisoryLocksSql.Unlock(AdvisoryLockMode.Shared),
            AdvisoryLockInspectionSql.MayInspect,
            AdvisoryLockInspectionSql.Locks,
            AdvisoryLockInspectionSql.Blocking,
            AdvisoryLockInspectionSql.Terminate,
            AdvisoryLockInspectionSql.Names(names),
        ];

        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(Token);
        Assert.Equal(statements.Length, statements.Distinct().Count());
        foreach (var statement in statements)
        {
            // Parameters without a type: the statement itself must say what they are.
            await using var prepare = new NpgsqlCommand($"prepare s as {statement}; deallocate s", connection);
            await prepare.ExecuteNonQueryAsync(Token);
            Assert.InRange(statement.Length, 1, 1024 * 4);
        }
    }
}
