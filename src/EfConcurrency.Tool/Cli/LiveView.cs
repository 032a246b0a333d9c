using Spectre.Console;
using Spectre.Console.Rendering;

namespace EfConcurrency.Tool.Cli;

/// <summary>A screen that is drawn again and again until q is pressed.</summary>
internal static class LiveView
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan BetweenKeys = TimeSpan.FromMilliseconds(50);

    public static async Task RunAsync(Session session, TimeSpan interval, Func<CancellationToken, Task<IRenderable>> look, CancellationToken cancellationToken)
    {
        var (screen, schema) = (session.Screen, session.Schema);
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
                    live.UpdateTarget(Framed(await LookAgainAsync(look, schema, quit.Token), interval));
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

    /// <summary>A server that is away for a moment (a failover, say) is told, and asked again: that is when people watch.</summary>
    private static async Task<IRenderable> LookAgainAsync(Func<CancellationToken, Task<IRenderable>> look, string schema, CancellationToken cancellationToken)
    {
        try
        {
            return await look(cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return new Text(Failure.Of(exception, schema).Message, new Style(foreground: Color.Red));
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
