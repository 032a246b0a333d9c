using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.Postgres;

/// <summary>
/// Connections to the database of a context, from a small pool of their own. What protects work (a lease, a session lock) must not wait for
/// a connection that the work itself holds, and lives longer than the context it was asked on.
/// </summary>
internal sealed class SideConnections
{
    /// <summary>A server that does not answer for this long is as good as gone; the caller decides what to do then.</summary>
    private const int MaxTimeoutSeconds = 5;

    /// <summary>A password may rotate (Azure, AWS): after this long it is asked for again.</summary>
    private static readonly TimeSpan PasswordAge = TimeSpan.FromMinutes(1);

    private readonly NpgsqlConnection _origin;
    private readonly string _connectionString;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private NpgsqlConnection? _model;
    private long _modelMadeAt;

    private SideConnections(NpgsqlConnection origin, string connectionString, TimeProvider time)
    {
        _origin = origin;
        _connectionString = connectionString;
        _time = time;
    }

    /// <summary>What identifies the database and the role; without a password.</summary>
    public string ConnectionString => _connectionString;

    /// <summary>The side connections of <paramref name="context"/>; they do not need the context afterwards.</summary>
    /// <param name="context">The context; its connection need not be open.</param>
    /// <param name="purpose">Added to the application name, so that <c>pg_stat_activity</c> tells what a session is for.</param>
    /// <param name="maxPoolSize">Most connections at a time, for all callers of the same purpose and database in this process.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="InvalidOperationException">The context has no connection of Npgsql.</exception>
    public static SideConnections Of(DbContext context, string purpose, int maxPoolSize, TimeProvider time)
    {
        if (context.Database.GetDbConnection() is not NpgsqlConnection connection)
        {
            throw new InvalidOperationException($"'{context.GetType().Name}' has no connection of Npgsql. Call UseNpgsql(…) on its options.");
        }

        if (string.IsNullOrEmpty(connection.ConnectionString))
        {
            throw new InvalidOperationException($"'{context.GetType().Name}' has no connection string. Pass one to UseNpgsql(…), or call db.Database.SetConnectionString(…) first.");
        }

        return new((NpgsqlConnection)((ICloneable)connection).Clone(), Side(connection.ConnectionString, purpose, maxPoolSize), time);
    }

    /// <summary>An open connection; disposing it gives it back to the pool.</summary>
    public async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = (NpgsqlConnection)((ICloneable)Model()).Clone();
        try
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Drops idle connections: after a failover they lead to a server that is no longer the primary.</summary>
    public void ClearPool() => NpgsqlConnection.ClearPool(Model());

    /// <summary>Parsing a connection string costs 14 us, cloning a connection 0.1 us.</summary>
    private NpgsqlConnection Model()
    {
        lock (_lock)
        {
            if (_model is null || _time.GetElapsedTime(_modelMadeAt) > PasswordAge)
            {
                _model = _origin.CloneWith(_connectionString);
                _modelMadeAt = _time.GetTimestamp();
            }

            return _model;
        }
    }

    private static string Side(string connectionString, string purpose, int maxPoolSize)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = true,
            MinPoolSize = 0,
            MaxPoolSize = maxPoolSize,
            Multiplexing = false,

            // Not part of the caller's distributed transaction, whatever the caller's own connections are.
            Enlist = false,
        };
        builder.ApplicationName = string.IsNullOrEmpty(builder.ApplicationName) ? purpose : $"{builder.ApplicationName} {purpose}";
        builder.Timeout = builder.Timeout == 0 ? MaxTimeoutSeconds : Math.Min(builder.Timeout, MaxTimeoutSeconds);

        // Of several hosts, only the primary can say who holds what.
        if (builder.Host?.Contains(',', StringComparison.Ordinal) == true)
        {
            builder.TargetSessionAttributes = "primary";
        }

        return builder.ConnectionString;
    }
}
