using System.Diagnostics;

namespace EfConcurrency.Tool.Tests.Support;

/// <summary>
/// The tool in a real terminal (tmux): keys are typed, the screen is read. When the tool has ended, the last line is <c>[exit N]</c>.
/// </summary>
internal sealed class Terminal : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly string _socket = $"efc-{Guid.NewGuid():n}";

    private Terminal()
    {
    }

    /// <param name="connectionString">Passed in EFC_CONNECTION.</param>
    /// <param name="arguments">Verb and options.</param>
    public static async Task<Terminal> StartAsync(string connectionString, params string[] arguments)
    {
        var terminal = new Terminal();
        await terminal.TmuxAsync(
        [
            "-u", "-f", "/dev/null", "new-session", "-d", "-x", "150", "-y", "45",
            "-e", $"EFC_CONNECTION={connectionString}", "-e", "TERM=screen-256color", "-e", "NO_COLOR=",
            "sh", "-c", "trap : INT; \"$0\" \"$@\"; echo \"[exit $?]\"; exec cat", Efc.Program, .. arguments,
        ]);
        return terminal;
    }

    /// <summary>What the screen shows.</summary>
    /// <param name="withColors">With the escape sequences of colours.</param>
    public async Task<string> ScreenAsync(bool withColors = false)
    {
        var screen = await TmuxAsync(["capture-pane", "-p", .. withColors ? ["-e"] : Array.Empty<string>()]);
        Assert.DoesNotContain(ToolDatabase.Password, screen, StringComparison.Ordinal);
        return screen;
    }

    /// <summary>Returns the screen when it shows a text.</summary>
    public async Task<string> UntilShowsAsync(string text)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Patience);
        var screen = "";
        while (!deadline.IsCancellationRequested)
        {
            screen = await ScreenAsync();
            if (screen.Contains(text, StringComparison.Ordinal))
            {
                return screen;
            }

            await Task.Delay(30, TestContext.Current.CancellationToken);
        }

        Assert.Fail($"The screen did not show '{text}':{Environment.NewLine}{screen}");
        return screen;
    }

    public Task TypeAsync(string text) => TmuxAsync(["send-keys", "-l", text]);

    public Task EnterAsync() => TmuxAsync(["send-keys", "Enter"]);

    /// <summary>Ctrl+C.</summary>
    public Task InterruptAsync() => TmuxAsync(["send-keys", "C-c"]);

    public async ValueTask DisposeAsync() => await TmuxAsync(["kill-server"]);

    private async Task<string> TmuxAsync(string[] arguments)
    {
        var start = new ProcessStartInfo("tmux", ["-L", _socket, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment.Remove("TMUX");
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"tmux {arguments[0]}: {await error}");
    }
}
