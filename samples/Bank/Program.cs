using System.CommandLine;
using Bank;
using Bank.Storm;
using Bank.Worker;

using var telemetry = SampleTelemetry.Start("bank");

var scale = new Option<int>("--scale") { Description = "Branches; each has 10 tellers and 100,000 accounts.", DefaultValueFactory = _ => 1 };
var workers = new Option<int>("--workers") { Description = "Worker processes.", DefaultValueFactory = _ => 4 };
var seconds = new Option<int>("--seconds") { Description = "Length of each of the three runs.", DefaultValueFactory = _ => 8 };
var seed = new Option<int>("--seed") { Description = "Fixes the transfers of each worker.", DefaultValueFactory = _ => 1 };
var mode = new Option<StormMode>("--mode");

foreach (var (option, highest) in (ReadOnlySpan<(Option<int>, int)>)[(scale, 100), (workers, 64), (seconds, 3600)])
{
    option.Validators.Add(result =>
    {
        if (result.Errors.Any() || result.GetValueOrDefault<int>() is var value && (value < 1 || value > highest))
        {
            result.AddError($"{option.Name} takes a whole number from 1 to {highest}.");
        }
    });
}

var root = new RootCommand("Transfers between accounts by several processes: naive, versioned, versioned with retry.") { scale, workers, seconds, seed };
root.SetAction(async (arguments, cancellationToken) =>
{
    var settings = new StormSettings(arguments.GetValue(scale), arguments.GetValue(workers), arguments.GetValue(seconds), arguments.GetValue(seed));
    try
    {
        return await new BankDemo(settings, Console.Out).RunAsync(cancellationToken);
    }
    catch (BankException problem)
    {
        await Console.Error.WriteLineAsync(problem.Message);
        return 2;
    }
    catch (OperationCanceledException)
    {
        return 130;
    }
});

var worker = new Command("worker") { mode, scale, seconds, seed };
worker.Hidden = true;
worker.SetAction((arguments, cancellationToken) => new BankWorker(
    arguments.GetValue(mode), arguments.GetValue(scale), arguments.GetValue(seed), TimeSpan.FromSeconds(arguments.GetValue(seconds)))
    .RunAsync(Environment.GetEnvironmentVariable(WorkerProcess.ConnectionVariable)!, cancellationToken));
root.Add(worker);

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    await Console.Error.WriteLineAsync(string.Join(Environment.NewLine, parsed.Errors.Select(e => e.Message).Distinct()));
    return 2;
}

return await parsed.InvokeAsync();
