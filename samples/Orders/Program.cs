using Orders;
using Orders.Storm;

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
                return await new OrdersDemo(TextWriter.Synchronized(Console.Out)).RunAsync(stop.Token);
            }
            catch (OperationCanceledException)
            {
                return 130;
            }
        }

    case ["service", var service]:
        await ServiceProgram.RunAsync(service);
        return 0;

    default:
        await Console.Error.WriteLineAsync("./demo.sh orders takes no options.");
        return 2;
}
