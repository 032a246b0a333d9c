using Spectre.Console;
using Spectre.Console.Rendering;

namespace EfConcurrency.Tool.Cli;

/// <summary>A screen that is drawn again and again until q is pressed.</summary>
internal static class LiveView
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan BetweenKeys = TimeSpan.FromMilliseconds(50);

    public static async Task RunAsync(Screen screen, TimeSpan interval, Func<CancellationToken, Task<IRenderable>> look, CancellationToken cancellationToken)
    {
        interval = interval < Shortest ? Shortest : interval;

        // What can't be had at all is told as by any verb, not in a live view.
        var first = await look(cancellationToken);
        using var quit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var keys = UntilQAsync(quit);
        try
        {
            await screen.Out.Live(Framed(first, interval)).AutoClear(false).StartAsync(async live =>
            {
                while (true)
                {
                    live.Refresh();
                    await Task.Delay(interval, quit.Token);
                    live.UpdateTarget(Framed(await look(quit.Token), interval));
                }
            });
        }
        catch (OperationCanceledException) when (quit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // q was pressed.
        }
        finally
        {
            await quit.CancelAsync();
            await keys;
        }
    }

    private static Rows Framed(IRenderable content, TimeSpan interval)
        => new(content, new Text($"every {Human.Duration(interval)}, q quits", new Style(foreground: Color.Grey)));

    private static async Task UntilQAsync(CancellationTokenSource quit)
    {
        try
        {
            while (!quit.IsCancellationRequested)
            {
                if (Console.KeyAvailable && Console.ReadKey(intercept: true).KeyChar is 'q' or 'Q')
                {
                    await quit.CancelAsync();
                    return;
                }

                await Task.Delay(BetweenKeys, quit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Ended otherwise.
        }
    }
}
