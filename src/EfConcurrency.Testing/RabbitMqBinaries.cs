namespace EfConcurrency.Testing;

/// <summary>Finds RabbitMQ and the Erlang port mapper that it needs.</summary>
internal static class RabbitMqBinaries
{
    private static readonly string[] Folders = ["/usr/lib/rabbitmq/bin", "/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin", "/opt/rabbitmq/sbin"];

    private static readonly string[] ErlangFolders = ["/usr/bin", "/usr/lib/erlang/bin", "/usr/local/bin", "/opt/homebrew/bin"];

    /// <summary>The server's script and the port mapper, or null. Debian's wrapper in <c>/usr/sbin</c> is not taken: it insists on the system's folders.</summary>
    public static (string Server, string Epmd)? Find()
        => First([.. Folders, .. Path()], "rabbitmq-server") is { } server && First([.. Path(), .. ErlangFolders], "epmd") is { } epmd ? (server, epmd) : null;

    private static string[] Path() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);

    private static string? First(IEnumerable<string> folders, string program)
        => folders.Select(f => System.IO.Path.Combine(f, program))
            .Where(File.Exists)
            .Select(f => File.ResolveLinkTarget(f, returnFinalTarget: true)?.FullName ?? f)
            .FirstOrDefault(f => !f.EndsWith("script-wrapper", StringComparison.Ordinal));
}
