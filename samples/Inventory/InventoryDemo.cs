using System.Globalization;
using EfConcurrency.Testing;

namespace Inventory;

/// <summary>The storm two ways, and the check after each.</summary>
internal sealed class InventoryDemo(TextWriter output)
{
    private const int Frozen = 0;
    private const int Killed = 1;

    private static readonly WorkerFate[] Fates = [WorkerFate.Freeze, WorkerFate.Kill, WorkerFate.None, WorkerFate.None, WorkerFate.None];

    private static readonly TimeSpan Sleep = TimeSpan.FromSeconds(1);

    private long _startedAt;

    /// <summary>The exit code: 0 when with locks all checks hold.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await output.WriteLineAsync("Starting a throwaway PostgreSQL …");
        await using var server = await LocalPostgres.StartAsync(cancellationToken: cancellationToken);

        await output.WriteLineAsync($"\nNaive: {Fates.Length} worker processes sell the same stock; read what is free, read the last number and add one:");
        var naive = await StormAsync(server, isLocked: false, cancellationToken);
        await output.WriteLineAsync("\nLocked: the same with TakeAsync and WithAdvisoryLockAsync:");
        var locked = await StormAsync(server, isLocked: true, cancellationToken);

        await output.WriteLineAsync();
        await output.WriteLineAsync($"naive:   {naive.Check}");
        await output.WriteLineAsync($"locked:  {locked.Check}");
        var isOk = locked is { Check.IsOk: true, IsStormComplete: true };
        await output.WriteLineAsync(isOk
            ? "check ok: with locks no item was reserved twice, none is missing, and the invoices are numbered without gap"
            : locked.IsStormComplete ? "check FAILED" : "check FAILED: a worker ended in an error (see above), or the one to be killed was not");
        return isOk ? 0 : 1;
    }

    private async Task<Outcome> StormAsync(LocalPostgres server, bool isLocked, CancellationToken cancellationToken)
    {
        await using var own = await server.CreateDatabaseAsync(cancellationToken);
        await InventoryDatabase.CreateAsync(own.ConnectionString, cancellationToken);
        _startedAt = TimeProvider.System.GetTimestamp();
        var workers = Fates.Select((fate, i) => WorkerProcess.Start(Name(i), isLocked, fate, own.ConnectionString, line => Hear(i, line))).ToList();
        try
        {
            await Task.WhenAll(workers.Select(w => w.UntilAsync(SaleWorker.Ready, cancellationToken)));
            workers.ForEach(w => w.Begin());
            await Task.WhenAll(FreezeAsync(workers[Frozen], cancellationToken), KillAsync(workers[Killed], cancellationToken));
            await Task.WhenAll(workers.Select(w => w.EndAsync(cancellationToken)));
            return new(
                await InventoryCheck.ReadAsync(own.ConnectionString, cancellationToken),
                workers.Select((w, i) => i == Killed ? w.ExitCode != 0 : w.ExitCode == 0).All(isAsPlanned => isAsPlanned));
        }
        finally
        {
            foreach (var worker in workers)
            {
                await worker.DisposeAsync();
            }
        }
    }

    private async Task FreezeAsync(WorkerProcess worker, CancellationToken cancellationToken)
    {
        await worker.UntilAsync(SaleWorker.HasPicked, cancellationToken);
        await worker.FreezeAsync(cancellationToken);
        Say($"{Name(Frozen)} is frozen (SIGSTOP), its transaction open");
        await Task.Delay(Sleep, cancellationToken);
        Say($"{Name(Frozen)} wakes (SIGCONT)");
        await worker.WakeAsync(cancellationToken);
    }

    private async Task KillAsync(WorkerProcess worker, CancellationToken cancellationToken)
    {
        await worker.UntilAsync(SaleWorker.HasWritten, cancellationToken);
        await worker.KillAsync(cancellationToken);
        Say($"{Name(Killed)} is killed (SIGKILL): items and number go back");
    }

    private void Hear(int worker, string line)
    {
        if (line != SaleWorker.Ready)
        {
            Say($"{Name(worker)} {line}");
        }
    }

    private static string Name(int worker) => $"worker {(char)('A' + worker)}";

    private void Say(string what)
        => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {TimeProvider.System.GetElapsedTime(_startedAt).TotalSeconds,4:0.0} s  {what}"));

    /// <param name="Check">What the database says.</param>
    /// <param name="IsStormComplete">Whether one worker was killed and all others ended well.</param>
    private sealed record Outcome(InventoryCheck Check, bool IsStormComplete);
}
