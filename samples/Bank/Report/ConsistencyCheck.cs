using System.Globalization;
using Npgsql;

namespace Bank.Report;

/// <summary>
/// TPC-B's condition of consistency: the balances of all accounts, of all tellers and of all branches each add up to what was booked.
/// (TPC Benchmark B, clause 2.3.)
/// </summary>
internal sealed record ConsistencyCheck(long Booked, long Accounts, long Tellers, long Branches, long Bookings)
{
    private const string Sums = """
        select (select coalesce(sum(delta), 0) from pgbench_history),
               (select sum(abalance) from pgbench_accounts where abalance <> 0 or aid = 1),
               (select sum(tbalance) from pgbench_tellers),
               (select sum(bbalance) from pgbench_branches),
               (select count(*) from pgbench_history)
        """;

    /// <summary>Money that was booked and is in no balance, or is in a balance and was never booked.</summary>
    public long Lost => Math.Abs(Booked - Accounts) + Math.Abs(Booked - Tellers) + Math.Abs(Booked - Branches);

    public static async Task<ConsistencyCheck> ReadAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Sums, connection) { CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4));
    }

    public override string ToString()
        => string.Create(
            CultureInfo.InvariantCulture,
            $"lost {Lost:n0}  (booked {Booked:n0} in {Bookings:n0} transfers; accounts {Accounts:n0}, tellers {Tellers:n0}, branches {Branches:n0})");
}
