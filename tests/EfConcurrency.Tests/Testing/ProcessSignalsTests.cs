using System.Diagnostics;
using EfConcurrency.Testing;

namespace EfConcurrency.Tests.Testing;

public sealed class ProcessSignalsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_paused_process_stands_still_until_it_is_continued()
    {
        using var process = Shell("while read line; do echo \"$line\"; done");
        await process.PauseAsync(Token);
        Assert.Contains(") T ", await File.ReadAllTextAsync($"/proc/{process.Id}/stat", Token), StringComparison.Ordinal);
        await process.StandardInput.WriteLineAsync("hello");
        var answer = process.StandardOutput.ReadLineAsync(Token).AsTask();
        Assert.False(answer.IsCompleted);

        await process.ContinueAsync(Token);

        Assert.Equal("hello", await answer);
        await process.KillAsync(Token);
    }

    [Fact]
    public async Task A_terminated_process_ends_in_its_own_way()
    {
        using var process = Shell("trap 'exit 7' TERM; echo ready; read line");
        await process.StandardOutput.ReadLineAsync(Token);

        await process.TerminateAsync(Token);

        await process.WaitForExitAsync(Token);
        Assert.Equal(7, process.ExitCode);
    }

    [Fact]
    public async Task A_killed_process_is_gone_even_if_it_was_paused_and_ignores_signals()
    {
        using var process = Shell("trap '' TERM; echo ready; read line");
        await process.StandardOutput.ReadLineAsync(Token);
        await process.PauseAsync(Token);

        await process.KillAsync(Token);

        Assert.True(process.HasExited);
        Assert.Equal(128 + 9, process.ExitCode);
    }

    [Fact]
    public async Task A_process_that_has_ended_cannot_be_signalled_but_can_be_killed_again()
    {
        using var process = Shell("exit 0");
        await process.WaitForExitAsync(Token);

        await process.KillAsync(Token);

        foreach (var signal in (Func<Task>[])[() => process.PauseAsync(Token), () => process.ContinueAsync(Token), () => process.TerminateAsync(Token)])
        {
            Assert.Contains("has ended", (await Assert.ThrowsAsync<InvalidOperationException>(signal)).Message, StringComparison.Ordinal);
        }
    }

    private static Process Shell(string script)
        => Process.Start(new ProcessStartInfo("sh", ["-c", script]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
}
