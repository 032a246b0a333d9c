using Bank.Report;
using Bank.Worker;

namespace Bank.Storm;

/// <summary>One run: workers in processes of their own, of which one is killed and one paused in the middle.</summary>
internal sealed class BankStorm(StormMode mode, StormSettings settings, string connectionString, IStormView view)
{
    private static readonly TimeSpan ShowEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(20);

    public async Task<StormTotals> RunAsync(CancellationToken cancellationToken)
    {
        var workers = Enumerable.Range(1, settings.Workers).Select(n => WorkerProcess.Start(n, mode, settings, connectionString)).ToList();
        try
        {
            var faults = HurtAsync(workers, cancellationToken);
            var ending = Task.WhenAll(workers.Select(w => w.WaitAsync(cancellationToken)));
            while (!ending.IsCompleted)
            {
                view.Show(mode, Totals(workers));
                await Task.WhenAny(ending, Task.Delay(ShowEvery, cancellationToken));
                cancellationToken.ThrowIfCancellationRequested();
            }

            await faults;
            await ending.WaitAsync(StopTimeout, cancellationToken);
            view.Show(mode, Totals(workers));
            return Totals(workers);
        }
        finally
        {
            workers.ForEach(w => w.Dispose());
        }
    }

    private static StormTotals Totals(IEnumerable<WorkerProcess> workers)
        => StormTotals.Of(workers.Select(w => w.Report).OfType<WorkerReport>());

    /// <summary>In the middle of the run the second worker is stopped for a while, and the first is killed.</summary>
    private async Task HurtAsync(List<WorkerProcess> workers, CancellationToken cancellationToken)
    {
        var tenth = TimeSpan.FromSeconds(settings.Seconds) / 10;
        if (workers.Count < 2)
        {
            return;
        }

        await Task.Delay(tenth * 4, cancellationToken);
        await workers[1].PauseAsync();
        view.Tell(mode, "worker 2 is paused (SIGSTOP)");
        await Task.Delay(tenth, cancellationToken);
        workers[0].Kill();
        view.Tell(mode, "worker 1 is killed (SIGKILL)");
        await Task.Delay(tenth, cancellationToken);
        await workers[1].ContinueAsync();
        view.Tell(mode, "worker 2 continues (SIGCONT)");
    }
}
