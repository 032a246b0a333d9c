using System.Globalization;
using LockHost;
using Microsoft.EntityFrameworkCore;

// Increments under an advisory lock, by processes that share nothing but the database. The connection string comes through the environment.
if (args is not [var key, var tally, var increments])
{
    throw new ArgumentException("Arguments: KEY TALLY INCREMENTS");
}

await using var db = new TallyContext(Environment.GetEnvironmentVariable("HOST_CONNECTION")!);
var id = int.Parse(tally, CultureInfo.InvariantCulture);
for (var left = int.Parse(increments, CultureInfo.InvariantCulture); left > 0; left--)
{
    db.ChangeTracker.Clear();
    await db.WithAdvisoryLockAsync(
        key,
        async (_, token) =>
        {
            (await db.Tallies.SingleAsync(t => t.Id == id, token)).Value++;
            await db.SaveChangesAsync(token);
        },
        new() { Timeout = TimeSpan.FromMinutes(2) });
}
