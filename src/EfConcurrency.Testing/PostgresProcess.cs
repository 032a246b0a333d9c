namespace EfConcurrency.Testing;

/// <summary>How PostgreSQL is started.</summary>
internal static class PostgresProcess
{
    /// <summary>PostgreSQL refuses root.</summary>
    public static readonly ServerKind Kind = new(
        "postgres", ["postgres", "nobody"], StopSignal: "INT", EndSignal: "QUIT", new Dictionary<string, string> { ["data/postmaster.pid"] = "postgres" });

    /// <summary>The command line that makes the data of a new, empty server.</summary>
    public static string[] NewData(string binaries, ServerFolder folder)
        => [Path.Combine(binaries, "initdb"), "-D", folder.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"];

    /// <summary>The command line that copies the data of a running server for a standby, which it makes a slot on that server for.</summary>
    public static string[] CopiedData(string binaries, ServerFolder folder, string primary, string slot)
        => [Path.Combine(binaries, "pg_basebackup"), "-D", folder.Data, "-d", primary, "-R", "-C", "-S", slot, "-X", "stream", "-c", "fast", "--no-sync"];

    /// <summary>Makes the data and starts the server.</summary>
    public static async Task<ServerProcess> StartAsync(
        string binaries, ServerFolder folder, string[] makeData, IEnumerable<KeyValuePair<string, string>> settings, CancellationToken cancellationToken)
    {
        await Kind.GiveAsync(folder, cancellationToken).ConfigureAwait(false);
        var make = Kind.As(makeData);
        await ServerProcess.RunAsync(make[0], make[1..], cancellationToken).ConfigureAwait(false);
        string[] command = [Path.Combine(binaries, "postgres"), "-D", folder.Data, .. settings.SelectMany(s => (string[])["-c", $"{s.Key}={s.Value}"])];
        return ServerProcess.Start(Kind, folder, command, pidFile: "watched.pid");
    }
}
