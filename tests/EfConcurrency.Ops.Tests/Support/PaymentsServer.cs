using System.Diagnostics;
using System.Net.Http.Json;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Ops.Tests.Support;

/// <summary>The sample of payments, as a process of its own on a database of its own.</summary>
public sealed class PaymentsServer(PostgresServer server) : IAsyncLifetime
{
    private const string Listening = "listening ";

    private TestDatabase? _database;
    private Process? _process;
    private HttpClient? _http;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await server.Server.CreateDatabaseAsync(Token);
        await using (var tables = new BankTables(new DbContextOptionsBuilder<BankTables>().UseNpgsql(_database.ConnectionString).UseEfConcurrency().Options))
        {
            await tables.Database.EnsureCreatedAsync(Token);
            await tables.Database.ExecuteSqlAsync($"""insert into "Accounts" ("Id", "Owner", "Balance", "Version") values (1, 'ann', 1000, 1)""", Token);
        }

        var start = new ProcessStartInfo(Run.PathOf("Payments"), ["server", "http://127.0.0.1:0"]) { RedirectStandardOutput = true };
        start.Environment["PAYMENTS_CONNECTION"] = _database.ConnectionString;
        _process = Process.Start(start)!;
        _http = new() { BaseAddress = await AddressAsync(_process.StandardOutput) };
        _http.DefaultRequestHeaders.Authorization = new("Customer", "ann");
    }

    public async Task WithdrawAsync(string key, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "accounts/1/withdraw") { Content = JsonContent.Create(new { amount = 1, reference = key }) };
            request.Headers.Add("Idempotency-Key", $"\"{key}\"");
            using var response = await _http!.SendAsync(request, Token);
            response.EnsureSuccessStatusCode();
        }
    }

    public async Task PayInAsync(string id, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var response = await _http!.PostAsJsonAsync("webhooks/provider", new { id, accountId = 1, amount = 1 }, Token);
            response.EnsureSuccessStatusCode();
        }
    }

    /// <summary>When the clean-up service, which counts what is stuck, has run once.</summary>
    public async Task<string> ScrapeAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Token);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        while (true)
        {
            var scrape = await _http!.GetStringAsync("metrics", deadline.Token);
            if (scrape.Contains("efconcurrency_idempotency_stuck{", StringComparison.Ordinal))
            {
                return scrape;
            }

            await Task.Delay(50, deadline.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
            _process.Dispose();
        }

        if (_database is not null)
        {
            await _database.DisposeAsync();
        }
    }

    private static async Task<Uri> AddressAsync(StreamReader output)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Token);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        while (await output.ReadLineAsync(deadline.Token) is { } line)
        {
            if (line.StartsWith(Listening, StringComparison.Ordinal))
            {
                return new(line[Listening.Length..]);
            }
        }

        throw new InvalidOperationException("The sample ended before it was listening.");
    }

    /// <summary>The tables that the sample works on; it makes none itself.</summary>
    private sealed class BankTables(DbContextOptions<BankTables> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.HasIdempotencyKeys().HasInbox();
            modelBuilder.Entity<Account>().ToTable("Accounts").HasVersion(a => a.Version);
            modelBuilder.Entity<LedgerEntry>().ToTable("Ledger");
        }
    }

    private sealed class Account
    {
        public int Id { get; set; }

        public required string Owner { get; set; }

        public decimal Balance { get; set; }

        public long Version { get; private set; }
    }

    private sealed class LedgerEntry
    {
        public long Id { get; set; }

        public int AccountId { get; set; }

        public decimal Amount { get; set; }

        public required string Reference { get; set; }
    }
}
