using EfConcurrency.Postgres;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.PostgresTests.WriteEnvelope;

public sealed class NoteContext(DbContextOptions<NoteContext> options) : DbContext(options)
{
    public DbSet<Note> Notes => Set<Note>();

    public DbSet<Loose> Loose => Set<Loose>();

    /// <summary>A column that takes no value but the server's shows when one is sent by mistake.</summary>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<Loose>().Property(l => l.Id).UseIdentityAlwaysColumn();
}

public sealed class Note : IVersioned
{
    public int Id { get; set; }

    public int Number { get; set; }

    public long Version { get; private set; }
}

public sealed class Loose
{
    public int Id { get; set; }

    public int Number { get; set; }
}

/// <summary>
/// A contribution made for the tests: like the outbox, it writes rows of its own at the end of the save; like a lease guard, it can
/// refuse the save at its head.
/// </summary>
internal sealed class TestContribution(IRelationalTypeMappingSource types) : IEnvelopeContributor
{
    public string? Message { get; set; }

    public bool Refuses { get; set; }

    public bool HasPendingWork => Message is not null;

    public void Contribute(EnvelopeSave save)
    {
        if (Refuses)
        {
            save.AddGuard(new("select 1 where false", [], static () => new DbUpdateException("refused by the test's guard")));
        }

        if (Message is not null)
        {
            SqlParameterValue[] parameters = [new(Message, types.FindMapping(typeof(string))!)];
            save.AddMessage(new("with message as (insert into message (text) select unnest(array[{0}, {0}]) returning 1) select count(*) from message", parameters));
        }
    }

    public void Saved() => Message = null;
}

/// <summary>Adds the contribution to a context's internal services, after EfConcurrency's own.</summary>
internal sealed class TestContributionExtension : IDbContextOptionsExtension
{
    public DbContextOptionsExtensionInfo Info => new ExtensionInfo(this);

    public void ApplyServices(IServiceCollection services)
    {
        services.AddScoped<TestContribution>();
        services.AddScoped<IEnvelopeContributor>(p => p.GetRequiredService<TestContribution>());
    }

    public void Validate(IDbContextOptions options)
    {
    }

    private sealed class ExtensionInfo(IDbContextOptionsExtension extension) : DbContextOptionsExtensionInfo(extension)
    {
        public override bool IsDatabaseProvider => false;

        public override string LogFragment => "TestContribution ";

        public override int GetServiceProviderHashCode() => 0;

        public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) => other is ExtensionInfo;

        public override void PopulateDebugInfo(IDictionary<string, string> debugInfo)
        {
        }
    }
}

public sealed class NoteDatabase(PostgresServer server) : DatabaseFixture(server)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
        await ExecuteAsync("create table message (text text not null)");
    }

    public NoteContext Open(ServerJudgedSaves judge = ServerJudgedSaves.WhenAvailable, string? connectionString = null, Action<DbContextOptionsBuilder>? configure = null)
    {
        var builder = new DbContextOptionsBuilder<NoteContext>().UseNpgsql(connectionString ?? ConnectionString).UseEfConcurrency(o => o.UseServerJudgedSaves(judge));
        ((IDbContextOptionsBuilderInfrastructure)builder).AddOrUpdateExtension(new TestContributionExtension());
        configure?.Invoke(builder);
        return new(builder.Options);
    }

    public static async Task<List<Note>> AddNotesAsync(NoteContext db, int count)
    {
        var notes = Enumerable.Range(0, count).Select(_ => new Note()).ToList();
        db.AddRange(notes);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return notes;
    }

    /// <summary>Another writer raises the version.</summary>
    public Task TouchAsync(Note note) => ExecuteAsync($"update \"Notes\" set \"Version\" = \"Version\" + 1 where \"Id\" = {note.Id}");

    public Task<long> MessagesAsync(string text) => ScalarAsync<long>($"select count(*) from message where text = '{text}'");
}
