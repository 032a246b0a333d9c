using System.Diagnostics;

namespace EfConcurrency.Testing;

/// <summary>
/// A server process under a watcher: a shell that obeys one command a line and, when its input ends, stops the server and removes
/// the folder. Its input ends when this process disposes it, and also when this process is killed: nothing is left behind.
/// </summary>
internal sealed class PostgresProcess : IAsyncDisposable
{
    /// <summary>
    /// The watcher ignores the signals of a terminal: Ctrl-C must reach the owner, whose end then ends the watcher.
    /// The server gets no pipe of ours, so that nobody waits for it.
    /// </summary>
    private const string Watcher = """
        trap '' INT TERM HUP PIPE
        folder=$1; shift
        server=
        start() { "$@" </dev/null >>"$folder/log" 2>&1 & server=$!; }
        finish() { [ -z "$server" ] || { kill "-$1" "$server" 2>/dev/null; wait "$server" 2>/dev/null; server=; }; }
        start "$@"
        while read -r command; do
            case $command in
                start) start "$@" ;;
                stop) finish INT ;;
                crash) finish QUIT ;;
                kill) finish KILL ;;
            esac
            echo done
        done
        finish QUIT
        rm -rf "$folder"
        """;

    private readonly Process _watcher;
    private readonly SemaphoreSlim _oneCommand = new(1);

    private PostgresProcess(Process watcher) => _watcher = watcher;

    /// <summary>The command line that makes the data of a new, empty server.</summary>
    public static string[] NewData(string binaries, PostgresFolder folder)
        => [Path.Combine(binaries, "initdb"), "-D", folder.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"];

    /// <summary>The command line that copies the data of a running server for a standby, which it makes a slot on that server for.</summary>
    public static string[] CopiedData(string binaries, PostgresFolder folder, string primary, string slot)
        => [Path.Combine(binaries, "pg_basebackup"), "-D", folder.Data, "-d", primary, "-R", "-C", "-S", slot, "-X", "stream", "-c", "fast", "--no-sync"];

    /// <summary>Makes the data and starts the server. As root both run as another account, because PostgreSQL refuses root.</summary>
    public static async Task<PostgresProcess> StartAsync(
        string binaries, PostgresFolder folder, string[] makeData, IEnumerable<KeyValuePair<string, string>> settings, CancellationToken cancellationToken)
    {
        var account = ServerAccount();
        if (account is not null)
        {
            await RunAsync("chown", ["-R", account, folder.FullPath], cancellationToken).ConfigureAwait(false);
        }

        await RunAs(account, makeData, cancellationToken).ConfigureAwait(false);

        var command = As(account, [Path.Combine(binaries, "postgres"), "-D", folder.Data, .. settings.SelectMany(s => (string[])["-c", $"{s.Key}={s.Value}"])]);
        var start = new ProcessStartInfo("setsid") { RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = "/" };
        foreach (var argument in (string[])["sh", "-c", Watcher, "efconcurrency-postgres", folder.FullPath, .. command])
        {
            start.ArgumentList.Add(argument);
        }

        return new(Process.Start(start)!);
    }

    /// <summary>Lets the watcher do one thing: <c>start</c>, <c>stop</c>, <c>crash</c> or <c>kill</c>; returns when it is done.</summary>
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

    private static string? ServerAccount()
        => Environment.IsPrivilegedProcess ? (File.ReadLines("/etc/passwd").Any(l => l.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody") : null;

    private static string[] As(string? account, string[] command)
        => account is null ? command : ["setpriv", $"--reuid={account}", $"--regid={PrimaryGroup(account)}", "--clear-groups", .. command];

    private static string PrimaryGroup(string account)
        => File.ReadLines("/etc/passwd").First(l => l.StartsWith(account + ":", StringComparison.Ordinal)).Split(':')[3];

    private static Task RunAs(string? account, string[] command, CancellationToken cancellationToken)
    {
        var full = As(account, command);
        return RunAsync(full[0], full[1..], cancellationToken);
    }

    private static async Task RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
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
