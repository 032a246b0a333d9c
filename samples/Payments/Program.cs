using Payments.Server;
using Payments.Storm;

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
                return await new PaymentsDemo(TextWriter.Synchronized(Console.Out)).RunAsync(stop.Token);
            }
            catch (OperationCanceledException)
            {
                return 130;
            }
        }

    case ["server", var url]:
        await PaymentsServer.RunAsync(url);
        return 0;

    default:
        await Console.Error.WriteLineAsync("./demo.sh payments takes no options.");
        return 2;
}
