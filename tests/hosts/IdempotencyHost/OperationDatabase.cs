using Microsoft.EntityFrameworkCore;

namespace IdempotencyHost;

public static class OperationDatabase
{
    public static DbContextOptions<OperationContext> Options(string connectionString)
        => new DbContextOptionsBuilder<OperationContext>().UseNpgsql(connectionString).UseEfConcurrency().Options;

    public static async Task PrepareAsync(string connectionString)
    {
        await using var db = new OperationContext(Options(connectionString));
        await db.Database.EnsureCreatedAsync();

        // Another system, which honours the key that it is sent.
        await db.Database.ExecuteSqlRawAsync("create table provider (downstream_key text primary key, charges int not null, calls int not null)");
    }
}
