using System.Diagnostics;
using System.Text.Json;
using EfConcurrency.Fencing;
using EfConcurrency.Leases;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace LeaseHost;

/// <summary>Acquires, writes, releases, as fast as it can, until its input ends and it has tried each way of a stale write; then reports what it counted.</summary>
internal sealed class Contender(string connectionString, string number)
{
    private static readonly string[] Paths = ["save", "bulk", "raw", "psql"];

    private readonly LeaseOptions _options = new()
    {
        TimeToLive = TimeSpan.FromSeconds(1),
        PollInterval = TimeSpan.FromMilliseconds(20),
        HolderInfo = $"contender {number}",
    };

    private readonly ContenderReport _report = new();

    public async Task RunAsync()
    {
        // Console.In reads synchronously, whatever its methods are called.
        var input = Task.Run(Console.In.ReadLine);
        await using var db = new StormContext(StormContext.Options(connectionString));
        var leases = db.Leases();
        while (!input.IsCompleted || _report.ClockAheadSeconds is null || !Paths.All(HasBeenStale))
        {
            try
            {
                _report.ClockAheadSeconds ??= (DateTimeOffset.UtcNow - await DatabaseClockAsync(db)).TotalSeconds;
                if (input.IsCompleted)
                {
                    await WriteStaleAsync(leases, StormDatabase.RegisterOf(number)); // nobody else's: no queue at the end
                }
                else
                {
                    await RoundAsync(leases);
                }
            }
            catch (LeaseNotAcquiredException)
            {
            }
            catch (Exception failure) when (failure is NpgsqlException or DbUpdateException or LeaseUnavailableException or InvalidOperationException or TimeoutException)
            {
                _report.Errors++;
            }
        }

        await Console.Out.WriteLineAsync(JsonSerializer.Serialize(_report));
    }

    private static Task<DateTimeOffset> DatabaseClockAsync(StormContext db)
        => db.Database.SqlQuery<DateTimeOffset>($"select clock_timestamp() as \"Value\"").SingleAsync();

    private bool HasBeenStale(string path) => _report.StaleRefused.ContainsKey(path) || _report.StaleAccepted.ContainsKey(path);

    private async Task RoundAsync(ILeaseManager leases)
    {
        var id = Random.Shared.Next(StormDatabase.Registers) + 1;

        // psql is a process of its own, and dear.
        var path = Random.Shared.Next(100) == 0 ? "psql" : Paths[Random.Shared.Next(3)];
        await using (var lease = await leases.AcquireAsync($"register:{id}", TimeSpan.FromSeconds(5), _options))
        {
            await CountAsync(() => WriteAsync(lease, id, path, taken: null), path, _report.Accepted, _report.Rejected);
        }

        if (Random.Shared.Next(40) == 0)
        {
            await WriteStaleAsync(leases, id);
        }
    }

    private async Task WriteStaleAsync(ILeaseManager leases, int id)
    {
        foreach (var path in Paths)
        {
            await using var lease = await leases.AcquireAsync($"register:{id}", TimeSpan.FromSeconds(5), _options);
            await CountAsync(() => WriteAsync(lease, id, path, leases), path, _report.StaleAccepted, _report.StaleRefused);
        }
    }

    private static async Task CountAsync(Func<Task> write, string path, Dictionary<string, int> accepted, Dictionary<string, int> refused)
    {
        try
        {
            await write();
            ContenderReport.Count(accepted, path);
        }
        catch (Exception refusal) when (refusal is FencingTokenRejectedException or FencingTokenRequiredException or LeaseLostException or RefusedByPsqlException)
        {
            ContenderReport.Count(refused, path);
        }
    }

    /// <summary>One is added to the register. With <paramref name="taken"/> the lease is taken away first, behind the back of the writer.</summary>
    private async Task WriteAsync(Lease lease, int id, string path, ILeaseManager? taken)
    {
        await using var db = new StormContext(StormContext.Options(connectionString));
        using var scope = db.UseLease(lease);
        var register = await db.Registers.SingleAsync(r => r.Id == id);
        if (taken is not null)
        {
            await taken.ForceAsync(lease.Name);
        }

        switch (path)
        {
            case "save":
                register.Value++;
                await db.SaveChangesAsync();
                break;
            case "bulk":
                await db.Registers.Where(r => r.Id == id).ExecuteUpdateAsync(s => s.SetProperty(r => r.Value, r => r.Value + 1));
                break;
            case "raw":
                await RawAsync(db, id, present: taken is null || Random.Shared.Next(2) == 0);
                break;
            default:
                await PsqlAsync(lease, id);
                break;
        }
    }

    private static async Task RawAsync(StormContext db, int id, bool present)
    {
        await using var transaction = await db.Database.BeginTransactionAsync();
        if (present)
        {
            await db.PresentFencingTokensAsync();
        }

        await db.Database.ExecuteSqlAsync($"update \"Registers\" set \"Value\" = \"Value\" + 1 where \"Id\" = {id}");
        await transaction.CommitAsync();
    }

    private async Task PsqlAsync(Lease lease, int id)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        string[] arguments =
        [
            "-XAtq", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=sqlstate", "-h", server.Host!, "-p", $"{server.Port}", "-U", server.Username!, "-d", server.Database!,
            "-c", $"begin; select efc.present_fencing_token('{lease.Name}', {lease.FencingToken}); update \"Registers\" set \"Value\" = \"Value\" + 1 where \"Id\" = {id}; commit",
        ];
        using var psql = Process.Start(new ProcessStartInfo("psql", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var error = await psql.StandardError.ReadToEndAsync();
        await psql.WaitForExitAsync();
        if (psql.ExitCode != 0)
        {
            throw error.Contains("EFC01", StringComparison.Ordinal)
                ? new RefusedByPsqlException(error)
                : new InvalidOperationException(error);
        }
    }
}

internal sealed class RefusedByPsqlException(string error) : Exception(error);
