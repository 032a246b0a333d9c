using Bank.Report;
using Bank.Storm;
using EfConcurrency.Testing;
using Spectre.Console;

namespace Bank;

/// <summary>The storm three ways, and the check after each.</summary>
internal sealed class BankDemo(StormSettings settings, TextWriter output)
{
    private static readonly StormMode[] Modes = [StormMode.Naive, StormMode.Versioned, StormMode.Retried];

    /// <summary>The exit code: 0 when versions lost nothing.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await output.WriteLineAsync("Starting a throwaway PostgreSQL (fsync on) …");
        await using var server = await LocalPostgres.StartAsync(new LocalPostgresOptions { Durable = true }, cancellationToken);
        await using var own = await server.CreateDatabaseAsync(cancellationToken);
        var database = new BankDatabase(own.ConnectionString, server.BinaryFolder);

        await output.WriteLineAsync($"pgbench --initialize --scale {settings.Scale}, and a version column …");
        await database.InitializeAsync(settings.Scale, cancellationToken);
        await output.WriteLineAsync($"{settings.Workers} worker processes transfer money for {settings.Seconds} s in each of three ways; in the middle one is paused and one killed.");

        var results = new List<(StormMode Mode, StormTotals Totals, ConsistencyCheck Check)>();
        if (AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected)
        {
            await LiveView.RunAsync(view => RunAsync(database, view, results, cancellationToken));
        }
        else
        {
            await RunAsync(database, new PlainView(output), results, cancellationToken);
        }

        return await ReportAsync(results);
    }

    private async Task RunAsync(BankDatabase database, IStormView view, List<(StormMode, StormTotals, ConsistencyCheck)> results, CancellationToken cancellationToken)
    {
        foreach (var mode in Modes)
        {
            await database.ResetAsync(cancellationToken);
            var totals = await new BankStorm(mode, settings, database.ConnectionString, view).RunAsync(cancellationToken);
            results.Add((mode, totals, await ConsistencyCheck.ReadAsync(database.ConnectionString, cancellationToken)));
        }
    }

    private async Task<int> ReportAsync(List<(StormMode Mode, StormTotals Totals, ConsistencyCheck Check)> results)
    {
        await output.WriteLineAsync();
        foreach (var (mode, totals, _) in results)
        {
            await output.WriteLineAsync(PlainView.Line(mode, totals));
        }

        await output.WriteLineAsync();
        foreach (var (mode, _, check) in results)
        {
            await output.WriteLineAsync($"{mode.Label() + ":",-21} {check}");
        }

        var isConsistent = results.Where(r => r.Mode != StormMode.Naive).All(r => r.Check.Lost == 0 && r.Check.Bookings > 0);
        await output.WriteLineAsync(isConsistent
            ? "consistency check ok: with versions, every balance is the sum of what was booked"
            : "consistency check FAILED: a versioned run lost money");
        return isConsistent ? 0 : 1;
    }
}
