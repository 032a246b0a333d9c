namespace EfConcurrency.Testing;

/// <summary>What is peculiar to a kind of server.</summary>
/// <param name="Name">Names its folders.</param>
/// <param name="Accounts">The accounts it may run as when this process is root; the first that exists.</param>
/// <param name="StopSignal">Ends it in an orderly way.</param>
/// <param name="EndSignal">Ends it when its data is not needed any more.</param>
/// <param name="PidFiles">Where ids of its processes are kept, below its folder, and what these are called.</param>
internal sealed record ServerKind(
    string Name, IReadOnlyList<string> Accounts, string StopSignal, string EndSignal, IReadOnlyDictionary<string, string> PidFiles)
{
    public string Root => Path.Combine(Path.GetTempPath(), $"efconcurrency-{Name}");

    /// <summary>Gives the folder to the account that the server runs as.</summary>
    public Task GiveAsync(ServerFolder folder, CancellationToken cancellationToken)
        => Account() is { } account ? ServerProcess.RunAsync("chown", ["-R", account, folder.FullPath], cancellationToken) : Task.CompletedTask;

    /// <summary>The command line, as another account when this process is root.</summary>
    public string[] As(string[] command)
        => Account() is { } account ? ["setpriv", $"--reuid={account}", $"--regid={PrimaryGroup(account)}", "--clear-groups", .. command] : command;

    private static string PrimaryGroup(string account) => Line(account)!.Split(':')[3];

    private static string? Line(string account) => File.ReadLines("/etc/passwd").FirstOrDefault(l => l.StartsWith(account + ":", StringComparison.Ordinal));

    private string? Account() => Environment.IsPrivilegedProcess ? Accounts.First(a => Line(a) is not null) : null;
}
