using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>A fresh database with three customers, four orders, and lines.</summary>
public sealed class DepotDatabase(PostgresServer server) : DatabaseFixture(server)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync(Token);
        await ExecuteAsync("create view \"OrderView\" as select \"Id\" from \"Orders\"");
        db.Customers.AddRange(Enumerable.Range(1, 3).Select(i => new Customer
        {
            Id = i,
            Name = "c" + i,
            Address = new() { City = "Bern" },
            Settings = new() { Language = "de" },
            Login = new() { User = "u" + i },
            Phones = [new() { Number = "1" + i }, new() { Number = "2" + i }],
        }));
        db.Orders.AddRange(
            new Order { Id = 1, CustomerId = 1, Lines = [new() { Number = 1 }, new() { Number = 2 }], Tags = [new() { Id = 1 }, new() { Id = 2 }] },
            new Order { Id = 2, CustomerId = 1, Lines = [new() { Number = 1 }] },
            new Order { Id = 3, CustomerId = 2, ApproverId = 3, Stops = [new() { City = "Olten" }] },
            new Order { Id = 4, CustomerId = 3 });
        db.AddRange(new Vehicle { Id = 1 }, new Car { Id = 2 }, new Animal { Id = 1 }, new Dog { Id = 2 }, new Dog { Id = 3 }, new Parcel { Id = 1 }, new Crate { Id = 2 }, new SplitRow { Id = 1 }, new SplitRow { Id = 2 });
        await db.SaveChangesAsync(Token);
    }

    public DepotContext Open(Action<NpgsqlDbContextOptionsBuilder>? npgsql = null, Action<DbContextOptionsBuilder>? configure = null)
    {
        var builder = new DbContextOptionsBuilder<DepotContext>().UseNpgsql(ConnectionString, npgsql).UseEfConcurrency();
        configure?.Invoke(builder);
        return new(builder.Options);
    }

    /// <summary>What is locked in a table right now, as another session finds out: the first column of each row, in order.</summary>
    public async Task<string> LockedAsync(string table, string key = "Id")
    {
        await using var connection = new NpgsqlConnection(ConnectionString + ";Enlist=false");
        await connection.OpenAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        var free = await KeysAsync(connection, $"select \"{key}\"::text from \"{table}\" for update skip locked");
        var all = await KeysAsync(connection, $"select \"{key}\"::text from \"{table}\"");
        foreach (var row in free)
        {
            all.Remove(row);
        }

        return string.Join(' ', all.Order(StringComparer.Ordinal));
    }

    /// <summary>A transaction of another session that holds a lock on an order until it is disposed.</summary>
    public async Task<OtherSession> LockOrderElsewhereAsync(int id, string strength = "for update")
        => await OtherSession.StartAsync(ConnectionString + ";Enlist=false", $"select 1 from \"Orders\" where \"Id\" = {id} {strength}");

    private static async Task<List<string>> KeysAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(Token);
        var keys = new List<string>();
        while (await reader.ReadAsync(Token))
        {
            keys.Add(reader.GetString(0));
        }

        return keys;
    }
}
