using System.Globalization;
using Npgsql;

namespace EfConcurrency.Testing;

/// <summary>
/// A server that follows another by streaming replication, on a port and in a folder of its own, gone like any <see cref="LocalPostgres"/>.
/// Until it is promoted it only reads. See PostgreSQL's manual, "Log-Shipping Standby Servers".
/// </summary>
public sealed class LocalPostgresStandby : LocalPostgres
{
    private readonly LocalPostgres _primary;
    private readonly string _name;

    private LocalPostgresStandby(LocalPostgres primary, string name, string connectionString, LocalPostgresOptions options, ServerProcess process)
        : base(connectionString, options, process, owned: null)
    {
        _primary = primary;
        _name = name;
        BinaryFolder = primary.BinaryFolder;
    }

    /// <summary>
    /// Makes commits on the primary wait until this standby has them on its disk (<c>synchronous_standby_names</c>). A primary waits for
    /// one standby, the one made synchronous last.
    /// </summary>
    /// <param name="cancellationToken">Stops waiting for the primary to see it.</param>
    /// <returns>A task that ends when the primary waits.</returns>
    /// <exception cref="InvalidOperationException">It does not stream from the primary.</exception>
    public async Task MakeSynchronousAsync(CancellationToken cancellationToken = default)
    {
        await ConfigureAsync(_primary, StandbySql.WaitFor(_name), cancellationToken).ConfigureAwait(false);
        await ExpectAsync(_primary, StandbySql.IsSynchronous, [_name], "is not seen as synchronous by its primary; is its replication paused?", cancellationToken).ConfigureAwait(false);
        await PostgresQuery.ExecuteAsync(_primary.ConnectionString, StandbySql.LetCheckpointerReload, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes back <see cref="MakeSynchronousAsync"/>: the primary waits for nobody, and commits that wait now are acknowledged.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A task that ends when the primary was told.</returns>
    public Task MakeAsynchronousAsync(CancellationToken cancellationToken = default) => DoNotWaitForAsync(_primary, _name, cancellationToken);

    /// <summary>
    /// Cuts replication, as a network between the two would: what the primary commits from now on is not here, whether it is
    /// acknowledged (asynchronous) or waits (synchronous). It stays cut when either server is restarted.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A task that ends when nothing is received any more.</returns>
    /// <exception cref="InvalidOperationException">It was promoted.</exception>
    public async Task PauseReplicationAsync(CancellationToken cancellationToken = default)
    {
        await FollowAsync("", cancellationToken).ConfigureAwait(false);
        await ExpectAsync(this, StandbySql.IsCutOff, [], "still receives from its primary.", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lets replication go on after <see cref="PauseReplicationAsync"/>. The primary has kept what was missed.</summary>
    /// <param name="cancellationToken">Stops waiting for the stream.</param>
    /// <returns>A task that ends when the standby streams.</returns>
    /// <exception cref="InvalidOperationException">It was promoted, or the primary does not run.</exception>
    public async Task ResumeReplicationAsync(CancellationToken cancellationToken = default)
    {
        await FollowAsync(Conninfo(_primary, _name), cancellationToken).ConfigureAwait(false);
        await ExpectStreamAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until everything that the primary has acknowledged by now can be read here.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A task that ends when it can be read.</returns>
    /// <exception cref="InvalidOperationException">It does not arrive: replication is paused.</exception>
    public async Task CatchUpAsync(CancellationToken cancellationToken = default)
    {
        var written = await PostgresQuery.ScalarAsync<string>(_primary.ConnectionString, StandbySql.WrittenPosition, [], cancellationToken).ConfigureAwait(false);
        await ExpectAsync(this, StandbySql.HasReplayed, [written!], $"has not replayed {written}; is its replication paused?", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Makes it a server that takes writes, on a new timeline, with what it has received. The old primary is not told: when it runs, it
    /// goes on taking writes that nobody else will see (stop it first with <see cref="LocalPostgres.KillAsync"/>, or keep it to test that).
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A task that ends when it takes writes; at once when it was promoted before.</returns>
    /// <exception cref="InvalidOperationException">It does not end its recovery.</exception>
    public async Task PromoteAsync(CancellationToken cancellationToken = default)
    {
        if (!await PostgresQuery.ScalarAsync<bool>(ConnectionString, StandbySql.Promote, [(int)PostgresQuery.Patience.TotalSeconds], cancellationToken).ConfigureAwait(false))
        {
            throw Late("was not promoted");
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync().ConfigureAwait(false);
        await ForgetAsync(_primary, _name).ConfigureAwait(false);
    }

    internal static async Task<LocalPostgresStandby> StartAsync(LocalPostgres primary, LocalPostgresOptions? options, CancellationToken cancellationToken)
    {
        var binaries = primary.BinaryFolder!;
        var name = "efc_standby_" + Guid.NewGuid().ToString("n");
        var settings = SettingsOf(primary.Options, options ?? primary.Options);
        LocalPostgresStandby standby;
        try
        {
            var (process, connectionString) = await PostgresLauncher.LaunchAsync(
                binaries, settings, folder => PostgresProcess.CopiedData(binaries, folder, Conninfo(primary, name), name), cancellationToken).ConfigureAwait(false);
            standby = new(primary, name, connectionString, settings, process);
        }
        catch
        {
            await ForgetAsync(primary, name).ConfigureAwait(false);
            throw;
        }

        try
        {
            // The copy has the settings of the primary with it: once promoted it would wait for another standby of that one.
            await ConfigureAsync(standby, StandbySql.WaitForNobody, cancellationToken).ConfigureAwait(false);
            await standby.ExpectStreamAsync(cancellationToken).ConfigureAwait(false);
            return standby;
        }
        catch
        {
            await standby.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A standby that allows fewer connections, locks or workers than its primary refuses to start.</summary>
    private static LocalPostgresOptions SettingsOf(LocalPostgresOptions primary, LocalPostgresOptions own)
    {
        var settings = new Dictionary<string, string> { ["wal_retrieve_retry_interval"] = "100ms" };
        foreach (var (name, value) in primary.Settings.Concat(own.Settings))
        {
            settings[name] = value;
        }

        return new() { Durable = own.Durable, MaxConnections = Math.Max(primary.MaxConnections, own.MaxConnections), Settings = settings };
    }

    /// <summary>How libpq reaches the primary; the standby's name is what <c>synchronous_standby_names</c> knows it by.</summary>
    private static string Conninfo(LocalPostgres primary, string name)
    {
        var to = new NpgsqlConnectionStringBuilder(primary.ConnectionString);
        return string.Create(CultureInfo.InvariantCulture, $"host={to.Host} port={to.Port} user={to.Username} application_name={name}");
    }

    private static async Task ConfigureAsync(LocalPostgres server, string alterSystem, CancellationToken cancellationToken)
    {
        await PostgresQuery.ExecuteAsync(server.ConnectionString, alterSystem, cancellationToken).ConfigureAwait(false);
        await PostgresQuery.ExecuteAsync(server.ConnectionString, StandbySql.Reload, cancellationToken).ConfigureAwait(false);
    }

    private static async Task DoNotWaitForAsync(LocalPostgres primary, string name, CancellationToken cancellationToken)
    {
        if (await PostgresQuery.ScalarAsync<string>(primary.ConnectionString, StandbySql.WaitedFor, [], cancellationToken).ConfigureAwait(false) == name)
        {
            await ConfigureAsync(primary, StandbySql.WaitForNobody, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Without its standby the primary neither waits nor keeps its log for it.</summary>
    private static async Task ForgetAsync(LocalPostgres primary, string name)
    {
        try
        {
            await DoNotWaitForAsync(primary, name, CancellationToken.None).ConfigureAwait(false);
            await PostgresQuery.ScalarAsync<bool>(primary.ConnectionString, StandbySql.EndSender, [name], CancellationToken.None).ConfigureAwait(false);
            await PostgresQuery.ScalarAsync<object>(primary.ConnectionString, StandbySql.DropSlot, [name], CancellationToken.None).ConfigureAwait(false);
        }
        catch (NpgsqlException)
        {
            // It is down.
        }
    }

    private async Task FollowAsync(string conninfo, CancellationToken cancellationToken)
    {
        if (!await PostgresQuery.ScalarAsync<bool>(ConnectionString, StandbySql.IsStandby, [], cancellationToken).ConfigureAwait(false))
        {
            throw new InvalidOperationException("The standby was promoted: it follows no primary any more. Start another with StartStandbyAsync().");
        }

        await ConfigureAsync(this, StandbySql.Follow(conninfo), cancellationToken).ConfigureAwait(false);
    }

    private Task ExpectStreamAsync(CancellationToken cancellationToken)
        => ExpectAsync(this, StandbySql.IsStreaming, [], "does not stream from its primary; does that run?", cancellationToken);

    private async Task ExpectAsync(LocalPostgres server, string sql, object[] parameters, string complaint, CancellationToken cancellationToken)
    {
        if (!await PostgresQuery.BecomesTrueAsync(server.ConnectionString, sql, parameters, cancellationToken).ConfigureAwait(false))
        {
            throw Late(complaint);
        }
    }

    private InvalidOperationException Late(string complaint)
        => new($"After {PostgresQuery.Patience.TotalSeconds} s the standby '{_name}' {complaint}");
}
