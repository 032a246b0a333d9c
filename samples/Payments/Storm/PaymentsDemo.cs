using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Payments.Server;

namespace Payments.Storm;

/// <summary>A storm of clicks on two servers that are killed in between; then the ledger is compared with what clients were told.</summary>
internal sealed class PaymentsDemo(TextWriter output)
{
    private const int Accounts = 12;
    private const int Withdrawals = 1500;
    private const int Events = 300;
    private const int Clients = 12;
    private const int Servers = 2;
    private const int Kills = 4;
    private const decimal Opening = 3000;

    private long _startedAt;

    /// <summary>The exit code: 0 when everything adds up.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await output.WriteLineAsync("Starting a throwaway PostgreSQL …");
        await using var server = await LocalPostgres.StartAsync(cancellationToken: cancellationToken);
        await using var database = await server.CreateDatabaseAsync(cancellationToken);
        var options = new DbContextOptionsBuilder<BankContext>();
        PaymentsServer.UseDatabase(options, database.ConnectionString);
        await using var db = new BankContext(options.Options);
        await FillAsync(db, cancellationToken);

        var servers = Enumerable.Range(0, Servers).Select(i => new ServerProcess(database.ConnectionString, line => output.WriteLine($"      server {i + 1}: {line}"))).ToList();
        try
        {
            await Task.WhenAll(servers.Select(s => s.StartAsync(cancellationToken)));
            await output.WriteLineAsync($"\n{Withdrawals} withdrawals and {Events} payments in, each clicked up to three times, on {Servers} servers:");
            _startedAt = TimeProvider.System.GetTimestamp();
            using var clicks = new Clicks(servers);
            var operations = Operations();
            var storm = StormAsync(clicks, operations, cancellationToken);
            await KillAsync(servers, storm, cancellationToken);
            await storm;
            Say($"{clicks.Sent} requests sent, {clicks.HungUp} hung up before the answer, {clicks.Unanswered} without a final answer (killed, or 409), {clicks.Replays} replayed");
            return await CheckAsync(db, clicks, operations, cancellationToken);
        }
        finally
        {
            foreach (var process in servers)
            {
                await process.DisposeAsync();
            }
        }
    }

    private static async Task FillAsync(BankContext db, CancellationToken cancellationToken)
    {
        await db.Database.EnsureCreatedAsync(cancellationToken);
        db.AddRange(Enumerable.Range(1, Accounts).Select(id => new Account { Id = id, Owner = $"customer-{id}", Balance = Opening }));
        await db.SaveChangesAsync(cancellationToken);
    }

    private static string[] Operations()
    {
        string[] operations = [.. Enumerable.Range(0, Withdrawals).Select(i => $"w-{i}"), .. Enumerable.Range(0, Events).Select(i => $"evt_{i}")];
        new Random(1).Shuffle(operations);
        return operations;
    }

    private static Task StormAsync(Clicks clicks, string[] operations, CancellationToken cancellationToken)
    {
        var next = -1;
        return Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(
            async () =>
            {
                var random = new Random(client);
                while (Interlocked.Increment(ref next) is var i && i < operations.Length)
                {
                    var (operation, account, amount) = (operations[i], 1 + random.Next(Accounts), (decimal)random.Next(10, 60));
                    await (operation[0] == 'w'
                        ? clicks.WithdrawAsync(random, operation, account, amount, cancellationToken)
                        : clicks.PayInAsync(random, operation, account, amount, cancellationToken));
                }
            },
            cancellationToken)));
    }

    private async Task KillAsync(List<ServerProcess> servers, Task storm, CancellationToken cancellationToken)
    {
        for (var kill = 0; kill < Kills && !storm.IsCompleted; kill++)
        {
            await Task.WhenAny(storm, Task.Delay(TimeSpan.FromSeconds(1.5), cancellationToken));
            Say($"server {1 + (kill % Servers)} is killed (SIGKILL) and started again");
            await servers[kill % Servers].KillAndStartAgainAsync(cancellationToken);
        }
    }

    private async Task<int> CheckAsync(BankContext db, Clicks clicks, string[] operations, CancellationToken cancellationToken)
    {
        var check = await PaymentsCheck.ReadAsync(db, clicks, operations, Opening, cancellationToken);
        await output.WriteLineAsync();
        await output.WriteLineAsync(check.ToString());
        await output.WriteLineAsync(check.IsOk ? "check ok: every key had exactly one effect, and every replay was the first answer, octet by octet" : "check FAILED");
        return check.IsOk ? 0 : 1;
    }

    private void Say(string what) => output.WriteLine($"{TimeProvider.System.GetElapsedTime(_startedAt).TotalSeconds,6:0.0} s  {what}");
}
