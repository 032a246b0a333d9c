using System.Diagnostics;

namespace EfConcurrency.Testing;

/// <summary>
/// A server process under a watcher: a shell that obeys one command a line and, when its input ends, stops the server and removes
/// the folder. Its input ends when this process disposes it, and also when this process is killed: nothing is left behind.
/// </summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    /// <summary>
    /// The watcher ignores the signals of a terminal: Ctrl-C must reach the owner, whose end then ends the watcher.
    /// The server gets no pipe of ours, so that nobody waits for it.
    /// </summary>
    private const string Watcher = """
        trap '' INT TERM HUP PIPE
        folder=$1; pidfile=$2; stop=$3; end=$4; shift 4
        server=
        start() { "$@" </dev/null >>"$folder/log" 2>&1 & server=$!; echo "$server" >"$pidfile"; }
        finish() { [ -z "$server" ] || { kill "-$1" "$server" 2>/dev/null; wait "$server" 2>/dev/null; server=; }; }
        start "$@"
        while read -r command; do
            case $command in
                start) start "$@" ;;
                stop) finish "$stop" ;;
                kill) finish KILL ;;
            esac
            echo done
        done
        finish "$end"
        rm -rf "$folder"
        """;

    private readonly Process _watcher;
    private readonly SemaphoreSlim _oneCommand = new(1);

    private ServerProcess(Process watcher) => _watcher = watcher;

    /// <summary>Starts a program that is the server itself (not one that leaves a server behind), as the kind's account.</summary>
    /// <param name="kind">How it is ended.</param>
    /// <param name="folder">Its folder, which goes with it.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="pidFile">Where its id is kept, below the folder.</param>
    /// <param name="environment">Variables for it, beside those of this process.</param>
    public static ServerProcess Start(
        ServerKind kind, ServerFolder folder, string[] command, string pidFile, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        var start = new ProcessStartInfo("setsid") { RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = "/" };
        foreach (var (name, value) in environment ?? [])
        {
            start.Environment[name] = value;
        }

        string[] watched = [folder.FullPath, Path.Combine(folder.FullPath, pidFile), kind.StopSignal, kind.EndSignal, .. kind.As(command)];
        foreach (var argument in (string[])["sh", "-c", Watcher, $"efconcurrency-{kind.Name}", .. watched])
        {
            start.ArgumentList.Add(argument);
        }

        return new(Process.Start(start)!);
    }

    /// <summary>Lets the watcher do one thing: <c>start</c>, <c>stop</c> or <c>kill</c>; returns when it is done.</summary>
    public async Task SendAsync(string command, CancellationToken cancellationToken)
    {
        await _oneCommand.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _watcher.StandardInput.WriteLineAsync(command.AsMemory(), cancellationToken).ConfigureAwait(false);
            await _watcher.StandardInput.FlushAsync(cancellationToken).ConfigureAwait(false);
            await _watcher.StandardOutput.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _oneCommand.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _watcher.StandardInput.Close();
        await _watcher.WaitForExitAsync().ConfigureAwait(false);
        _watcher.Dispose();
        _oneCommand.Dispose();
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = await process.StandardError.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            await output.ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' ended with code {process.ExitCode}: {error.Trim()}");
            }
        }
        catch (OperationCanceledException)
        {
            await process.KillAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }
}
