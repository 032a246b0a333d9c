using Inventory;

using var telemetry = SampleTelemetry.Start("inventory");

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
                return await new InventoryDemo(TextWriter.Synchronized(Console.Out)).RunAsync(stop.Token);
            }
            catch (OperationCanceledException)
            {
                return 130;
            }
        }

    case ["worker", var name, var way, var fate]:
        await new SaleWorker(Environment.GetEnvironmentVariable(WorkerProcess.ConnectionVariable)!, name, way == "locked", Enum.Parse<WorkerFate>(fate)).RunAsync();
        return 0;

    default:
        await Console.Error.WriteLineAsync("./demo.sh inventory takes no options.");
        return 2;
}
