using System.Globalization;
using System.Text;

namespace EfConcurrency.Testing;

/// <summary>A broker's process and its Erlang port mapper's. The latter outlives the kills of the former, as it does in life.</summary>
internal sealed class RabbitMqNode : IAsyncDisposable
{
    private const string PidFile = "pid";

    private static readonly string[] Accounts = ["rabbitmq", "nobody"];

    private static readonly ServerKind Broker = new("rabbitmq", Accounts, StopSignal: "TERM", EndSignal: "KILL", new Dictionary<string, string> { [PidFile] = "beam" });

    private static readonly ServerKind PortMapper = new("epmd", Accounts, StopSignal: "TERM", EndSignal: "KILL", new Dictionary<string, string> { [PidFile] = "epmd" });

    private readonly ServerFolder _folder;
    private readonly ServerProcess _broker;
    private readonly ServerProcess _portMapper;

    private RabbitMqNode(Uri uri, ServerFolder folder, ServerProcess broker, ServerProcess portMapper)
    {
        Uri = uri;
        _folder = folder;
        _broker = broker;
        _portMapper = portMapper;
    }

    public Uri Uri { get; }

    public static async Task<RabbitMqNode> StartAsync(string server, string epmd, LocalRabbitMqOptions options, CancellationToken cancellationToken)
    {
        ServerFolder.RemoveStale(Broker);
        ServerFolder.RemoveStale(PortMapper);
        var ports = FreePorts.Take(3);
        var folder = ServerFolder.Create(Broker);
        await File.WriteAllTextAsync(Path.Combine(folder.FullPath, "rabbitmq.conf"), Settings(options, ports[0]), cancellationToken).ConfigureAwait(false);
        await File.WriteAllTextAsync(Path.Combine(folder.FullPath, "plugins"), "[].\n", cancellationToken).ConfigureAwait(false);
        await Broker.GiveAsync(folder, cancellationToken).ConfigureAwait(false);

        string[] mapper = [epmd, "-port", ports[2].ToString(CultureInfo.InvariantCulture), "-address", "127.0.0.1"];
        var portMapper = ServerProcess.Start(PortMapper, ServerFolder.Create(PortMapper), mapper, PidFile);
        var broker = ServerProcess.Start(Broker, folder, [server], PidFile, Environment(folder, ports));
        return new(new Uri(string.Create(CultureInfo.InvariantCulture, $"amqp://guest:guest@127.0.0.1:{ports[0]}/")), folder, broker, portMapper);
    }

    /// <summary>Whether the broker's process has ended by itself (on Linux; elsewhere never). Its watcher has not waited for it, so it is a zombie then (proc(5)).</summary>
    public bool HasEnded()
    {
        try
        {
            var pid = File.ReadAllText(Path.Combine(_folder.FullPath, PidFile)).Trim();
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] == 'Z';
        }
        catch (IOException)
        {
            // It is just being started.
            return false;
        }
    }

    public Task SendAsync(string command, CancellationToken cancellationToken) => _broker.SendAsync(command, cancellationToken);

    public async Task<string> LogAsync(CancellationToken cancellationToken)
        => File.Exists(_folder.Log) ? await File.ReadAllTextAsync(_folder.Log, cancellationToken).ConfigureAwait(false) : "(nothing)";

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync().ConfigureAwait(false);
        await _portMapper.DisposeAsync().ConfigureAwait(false);
    }

    private static string Settings(LocalRabbitMqOptions options, int port)
    {
        var settings = new Dictionary<string, string>
        {
            ["listeners.tcp.1"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"),
            ["log.console"] = "true",
            ["log.console.level"] = "warning",
            ["log.file"] = "false",

            // By default publishers are blocked when less than 50 MB are free; a test machine with little room shall not hang.
            ["disk_free_limit.absolute"] = "1MB",
        };
        foreach (var (name, value) in options.Settings)
        {
            settings[name] = value;
        }

        return settings.Aggregate(new StringBuilder(), (text, s) => text.Append(s.Key).Append(" = ").Append(s.Value).Append('\n')).ToString();
    }

    /// <summary>https://www.rabbitmq.com/docs/configure#supported-environment-variables. Nothing of the system's configuration and folders is used.</summary>
    private static Dictionary<string, string> Environment(ServerFolder folder, int[] ports)
    {
        string In(string name) => Path.Combine(folder.FullPath, name);
        string Port(int index) => ports[index].ToString(CultureInfo.InvariantCulture);
        return new()
        {
            // The Erlang cookie is made there.
            ["HOME"] = folder.FullPath,
            ["LC_ALL"] = "C.UTF-8",
            ["RABBITMQ_NODENAME"] = "efc@localhost",
            ["RABBITMQ_DIST_PORT"] = Port(1),
            ["ERL_EPMD_PORT"] = Port(2),
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_CONFIG_FILE"] = In("rabbitmq.conf"),
            ["RABBITMQ_ADVANCED_CONFIG_FILE"] = In("advanced.config"),
            ["RABBITMQ_CONF_ENV_FILE"] = In("rabbitmq-env.conf"),
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = In("plugins"),
            ["RABBITMQ_MNESIA_BASE"] = In("data"),
            ["RABBITMQ_LOG_BASE"] = In("logs"),
            ["RABBITMQ_PID_FILE"] = In("rabbitmq.pid"),

            // The script becomes the server, instead of leaving it as a child that outlives a kill.
            ["RUNNING_UNDER_SYSTEMD"] = "true",

            // Idle schedulers sleep at once: several brokers share a machine with the tests.
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
        };
    }
}
