using System.Globalization;

namespace EfConcurrency.Testing;

/// <summary>Makes the folder of a server, starts it on a free port of this machine, and waits until it accepts connections.</summary>
internal static class PostgresLauncher
{
    /// <summary>Starts a server on data that <paramref name="makeData"/>, a command line, makes in the folder it is given.</summary>
    public static async Task<(ServerProcess Process, string ConnectionString)> LaunchAsync(
        string binaries, LocalPostgresOptions options, Func<ServerFolder, string[]> makeData, CancellationToken cancellationToken)
    {
        ServerFolder.RemoveStale(PostgresProcess.Kind);
        var folder = ServerFolder.Create(PostgresProcess.Kind);
        var port = FreePorts.Take(1)[0];
        ServerProcess process;
        try
        {
            process = await PostgresProcess.StartAsync(binaries, folder, makeData(folder), Settings(options, folder, port), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            folder.Remove();
            throw;
        }

        try
        {
            var connectionString = string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres");
            if (await PostgresQuery.AcceptsAsync(connectionString, PostgresQuery.Patience, cancellationToken).ConfigureAwait(false))
            {
                return (process, connectionString);
            }

            var log = File.Exists(folder.Log) ? await File.ReadAllTextAsync(folder.Log, cancellationToken).ConfigureAwait(false) : "(no log)";
            throw new InvalidOperationException($"PostgreSQL of '{binaries}' did not accept a connection within {PostgresQuery.Patience.TotalSeconds} s. Its log: {log}");
        }
        catch
        {
            await process.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static Dictionary<string, string> Settings(LocalPostgresOptions options, ServerFolder folder, int port)
    {
        var settings = new Dictionary<string, string>
        {
            ["port"] = port.ToString(CultureInfo.InvariantCulture),
            ["listen_addresses"] = "127.0.0.1",
            ["unix_socket_directories"] = folder.FullPath,
            ["max_connections"] = options.MaxConnections.ToString(CultureInfo.InvariantCulture),
            ["fsync"] = options.Durable ? "on" : "off",
            ["full_page_writes"] = options.Durable ? "on" : "off",
        };
        foreach (var (name, value) in options.Settings)
        {
            settings[name] = value;
        }

        return settings;
    }
}
