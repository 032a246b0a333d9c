using System.Diagnostics;
using EfConcurrency.Tool.Tests.Support;

namespace EfConcurrency.Tool.Tests.Run;

/// <summary>A call of <c>efc run</c> whose command says lines and waits for lines, so that tests need no clock.</summary>
internal sealed class Running(Process process) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public Process Process => process;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <param name="connectionString">The database.</param>
    /// <param name="options">Of <c>efc run</c>.</param>
    /// <param name="script">For sh.</param>
    public static Running Start(string connectionString, string[] options, string script)
        => new(Efc.Start(connectionString, ["run", .. options, "--", "sh", "-c", script]));

    /// <summary>The next line of the command's stdout.</summary>
    public async Task<string?> ReadAsync() => await process.StandardOutput.ReadLineAsync(Token).AsTask().WaitAsync(Patience, Token);

    public async Task ExpectAsync(string line) => Assert.Equal(line, await ReadAsync());

    /// <summary>A line for the command's stdin.</summary>
    public async Task WriteAsync(string line)
    {
        await process.StandardInput.WriteLineAsync(line);
        await process.StandardInput.FlushAsync(Token);
    }

    /// <summary>Ends the command's stdin and waits for the end.</summary>
    public async Task<EfcResult> EndAsync()
    {
        process.StandardInput.Close();
        return await Efc.EndAsync(process);
    }

    /// <summary>By its name: TERM, INT.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("sh", ["-c", $"kill -s {signal} {process.Id}"]);
        await kill.WaitForExitAsync(Token);
    }

    /// <summary>Returns when that process is no more, or is a zombie that nobody has asked for.</summary>
    public static async Task UntilGoneAsync(int id)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Token);
        deadline.CancelAfter(Patience);
        while (File.Exists($"/proc/{id}/stat") && !(await TextAsync($"/proc/{id}/stat")).Contains(") Z ", StringComparison.Ordinal))
        {
            await Task.Delay(10, deadline.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }

        process.Dispose();
    }

    private static async Task<string> TextAsync(string file)
    {
        try
        {
            return await File.ReadAllTextAsync(file, Token);
        }
        catch (IOException)
        {
            return ") Z ";
        }
    }
}
