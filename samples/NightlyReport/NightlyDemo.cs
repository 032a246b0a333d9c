using System.Globalization;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;

namespace NightlyReport;

/// <summary>The same night twice: with a lock that has a time to live, and with a lease whose token the database looks at.</summary>
internal sealed class NightlyDemo(TextWriter output)
{
    private const string HasRead = "has read";

    private long _startedAt;

    /// <summary>The exit code: 0 when the fence refused what the lock let through.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await output.WriteLineAsync("Starting a throwaway PostgreSQL …");
        await using var server = await LocalPostgres.StartAsync(cancellationToken: cancellationToken);

        await output.WriteLineAsync("\nA lock with a time to live, as with SET NX PX:");
        var unfenced = await NightAsync(server, isFenced: false, cancellationToken);
        await output.WriteLineAsync("\nThe same lease, and saves under db.UseLease(lease):");
        var fenced = await NightAsync(server, isFenced: true, cancellationToken);

        await output.WriteLineAsync();
        await output.WriteLineAsync($"not fenced:  {unfenced}");
        await output.WriteLineAsync($"fenced:      {fenced}");
        var isOk = unfenced.Orders == 2 * PlanningDatabase.Demands && fenced.Orders == PlanningDatabase.Demands && fenced is { IsFirstRefused: true, Report: "worker B" };
        await output.WriteLineAsync(isOk
            ? "check ok: the lock let both workers order, the fence only the one that holds the lease"
            : "check FAILED");
        return isOk ? 0 : 1;
    }

    private async Task<Night> NightAsync(LocalPostgres server, bool isFenced, CancellationToken cancellationToken)
    {
        await using var own = await server.CreateDatabaseAsync(cancellationToken);
        await PlanningDatabase.CreateAsync(own.ConnectionString, isFenced, cancellationToken);
        _startedAt = TimeProvider.System.GetTimestamp();

        await using var first = WorkerProcess.Start("worker A", isFenced, own.ConnectionString, line => Say($"worker A {line}"), HasRead);
        await first.UntilAsync(HasRead, cancellationToken);
        await first.FreezeAsync(cancellationToken);
        Say("worker A is frozen (SIGSTOP), as by a long garbage collection or a machine that is moved");

        await using var second = WorkerProcess.Start("worker B", isFenced, own.ConnectionString, line => Say($"worker B {line}"));
        Say("worker B waits for the lock");
        await second.EndAsync(cancellationToken);

        Say("worker A wakes (SIGCONT), and does not know that it slept");
        await first.WakeAsync(cancellationToken);
        await first.EndAsync(cancellationToken);

        await using var db = PlanningDatabase.Open(own.ConnectionString, isFenced);
        return new(
            await db.Orders.CountAsync(cancellationToken),
            await db.Demands.CountAsync(cancellationToken),
            (await db.Reports.SingleAsync(cancellationToken)).WrittenBy,
            first.ExitCode == Planner.Refused);
    }

    private void Say(string what)
        => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {TimeProvider.System.GetElapsedTime(_startedAt).TotalSeconds,4:0.0} s  {what}"));

    /// <summary>What was there in the morning.</summary>
    private sealed record Night(int Orders, int Demands, string Report, bool IsFirstRefused)
    {
        public override string ToString()
            => $"{Orders} orders for {Demands} demands{(Orders > Demands ? " (everything was ordered twice)" : "")}; the report is of {Report}";
    }
}
