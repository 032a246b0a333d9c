using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>What one call asks for, checked.</summary>
internal sealed class LockRequest
{
    public LockRequest(DbContext context, AdvisoryKeySet keys, AdvisoryLockOptions? options, bool isTry)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(keys);
        Options = options ?? AdvisoryLockOptions.Default;
        Options.Validate();
        Context = context;
        Keys = keys;
        WaitMilliseconds = Options.WaitMilliseconds(isTry);
        IsTry = isTry;
        State = AdvisoryLockState.Of(context);
    }

    public DbContext Context { get; }

    public AdvisoryKeySet Keys { get; }

    public AdvisoryLockOptions Options { get; }

    /// <summary>Whether the call answers that the lock is not free, and does not throw.</summary>
    public bool IsTry { get; }

    /// <summary>Null: without end. 0: none.</summary>
    public int? WaitMilliseconds { get; }

    public AdvisoryLockState State { get; }

    public TimeProvider Time => State.Time;

    public NpgsqlConnection Connection
        => Context.Database.GetDbConnection() as NpgsqlConnection
            ?? throw new InvalidOperationException($"'{Context.GetType().Name}' has no connection of Npgsql. Call UseNpgsql(…) on its options.");

    public SideConnections Side(string purpose, int maxPoolSize) => SideConnections.Of(Context, purpose, maxPoolSize, Time);

    public AdvisoryLock Handle(LockReply reply, CancellationToken lostToken) => new(reply.Id, Keys, Options, reply.Waited, lostToken);

    public AdvisoryLockTimeoutException TimedOut(Exception? cause) => new(Keys, TimeSpan.FromMilliseconds(WaitMilliseconds ?? 0), cause);
}
