using System.Diagnostics;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Bank;

/// <summary>The database of the demo: made by pgbench, with a version column added.</summary>
internal sealed class BankDatabase(string connectionString, string? binaryFolder)
{
    /// <summary>An id for bookings (pgbench gives them none) and the versions.</summary>
    private const string Prepare = """
        alter table pgbench_history add column if not exists id bigint generated always as identity primary key;
        alter table pgbench_accounts add column if not exists version bigint not null default 1;
        alter table pgbench_tellers add column if not exists version bigint not null default 1;
        alter table pgbench_branches add column if not exists version bigint not null default 1;
        """;

    private const string Reset = """
        truncate pgbench_history;
        update pgbench_accounts set abalance = 0, version = 1 where abalance <> 0 or version <> 1;
        update pgbench_tellers set tbalance = 0, version = 1;
        update pgbench_branches set bbalance = 0, version = 1;
        """;

    public string ConnectionString => connectionString;

    public async Task InitializeAsync(int scale, CancellationToken cancellationToken)
    {
        await PgbenchAsync(scale, cancellationToken);
        await ExecuteAsync(Prepare, cancellationToken);

        // These tables are not made by EF's migrations, which would bring the function.
        var options = new DbContextOptionsBuilder<VersionedBankContext>().UseNpgsql(connectionString).UseEfConcurrency().Options;
        await using var db = new VersionedBankContext(options);
        await db.Database.EnsureGuardFunctionAsync(cancellationToken);
    }

    public Task ResetAsync(CancellationToken cancellationToken) => ExecuteAsync(Reset, cancellationToken);

    private async Task PgbenchAsync(int scale, CancellationToken cancellationToken)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        var beside = Path.Combine(binaryFolder ?? "", "pgbench");
        var program = File.Exists(beside) ? beside : "pgbench";
        string[] arguments =
        [
            "--initialize", "--quiet", "--scale", scale.ToString(CultureInfo.InvariantCulture),
            "--host", server.Host!, "--port", server.Port.ToString(CultureInfo.InvariantCulture), "--username", server.Username!, server.Database!,
        ];
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        if (server.Password is { } password)
        {
            start.Environment["PGPASSWORD"] = password;
        }

        try
        {
            using var pgbench = Process.Start(start)!;
            var error = await pgbench.StandardError.ReadToEndAsync(cancellationToken);
            await pgbench.WaitForExitAsync(cancellationToken);
            if (pgbench.ExitCode != 0)
            {
                throw new BankException($"pgbench --initialize failed: {error.Trim()}");
            }
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new BankException("pgbench was not found. It comes with PostgreSQL (Debian: postgresql-contrib or postgresql): install it, or put it on PATH.");
        }
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
