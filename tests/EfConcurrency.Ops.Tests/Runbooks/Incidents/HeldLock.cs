using EfConcurrency.AdvisoryLocks;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>A zombie: a session that is idle in its transaction holds an advisory lock, and a call waits for it.</summary>
internal sealed class HeldLock : Incident
{
    private const string Name = "import";

    private readonly CancellationTokenSource _enough = new();
    private NpgsqlConnection? _zombie;
    private ShopContext? _shop;
    private Task? _waiting;

    public override async Task CheckAsync(bool isActedUpon)
    {
        if (isActedUpon)
        {
            await _waiting!.WaitAsync(TimeSpan.FromMinutes(1), Token);
        }

        Assert.Equal(isActedUpon ? 0 : 1, await ScalarAsync<long>("select count(*) from pg_stat_activity where application_name = 'zombie' and datname = current_database()"));
        Assert.Equal(isActedUpon, _waiting!.IsCompleted);
    }

    protected override async Task EndAsync()
    {
        await _enough.CancelAsync();
        await (_waiting ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await (_shop?.DisposeAsync() ?? default);
        await (_zombie?.DisposeAsync() ?? default);
        _enough.Dispose();
    }

    protected override async Task StageAsync()
    {
        Names["LOCK"] = Name;
        Signs["locks list"] = Signs["locks tree"] = "zombie";
        _zombie = new(ConnectionString + ";Application Name=zombie;Pooling=false");
        await _zombie.OpenAsync(Token);
        await using (var command = new NpgsqlCommand($"begin; select pg_advisory_xact_lock({AdvisoryKey.Of(Name).Number})", _zombie))
        {
            await command.ExecuteNonQueryAsync(Token);
        }

        _shop = Open();
        _waiting = _shop.WithAdvisoryLockAsync(Name, static (_, _) => Task.CompletedTask, new() { Timeout = TimeSpan.FromMinutes(2) }, _enough.Token);
        await UntilAsync(async () => await ScalarAsync<long>(
            "select count(*) from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory' and not granted and datname = current_database()") == 1);
    }
}
