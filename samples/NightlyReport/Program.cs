using NightlyReport;

using var telemetry = SampleTelemetry.Start("nightly-report");

switch (args)
{
    case []:
        using (var stop = new CancellationTokenSource())
        {
            Console.CancelKeyPress += (_, e) =>
            {
                e.Cancel = true;
                stop.Cancel();
            };
            try
            {
                return await new NightlyDemo(TextWriter.Synchronized(Console.Out)).RunAsync(stop.Token);
            }
            catch (OperationCanceledException)
            {
                return 130;
            }
        }

    case ["worker", var name, var mode]:
        return await new Planner(Environment.GetEnvironmentVariable(WorkerProcess.ConnectionVariable)!, name, mode == "fenced").RunAsync();

    default:
        await Console.Error.WriteLineAsync("./demo.sh fencing takes no options.");
        return 2;
}
