using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.Tests.Infrastructure;

/// <summary>A set-up in which saves could not be checked is refused before the first of them.</summary>
public sealed class SetupTests
{
    [Fact]
    public void A_missing_provider_is_named()
    {
        var options = new DbContextOptionsBuilder().UseEfConcurrency().Options;
        Assert.Contains("UseNpgsql", Assert.Throws<InvalidOperationException>(() => new EmptyContext(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_provider_is_named()
    {
        var builder = new DbContextOptionsBuilder().UseEfConcurrency();
        ((IDbContextOptionsBuilderInfrastructure)builder).AddOrUpdateExtension(new OtherProvider());
        Assert.Contains("EfConcurrency.Tests", Assert.Throws<InvalidOperationException>(() => new EmptyContext(builder.Options)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_order_of_calls_does_not_matter(bool npgsqlFirst)
    {
        var builder = new DbContextOptionsBuilder();
        builder = npgsqlFirst ? builder.UseNpgsql("Host=none").UseEfConcurrency() : builder.UseEfConcurrency().UseNpgsql("Host=none");
        using var db = new EmptyContext(builder.Options);
        Assert.IsType<EnvelopeDatabase>(db.GetService<IDatabase>());
        Assert.IsType<EnvelopeBatchFactory>(db.GetService<IModificationCommandBatchFactory>());
    }

    public static TheoryData<Action<DbContextOptionsBuilder>, string> Replacements => new()
    {
        { b => b.ReplaceService<IModificationCommandBatchFactory, Stub>(), nameof(IModificationCommandBatchFactory) },
        { b => b.ReplaceService<IDatabase, Stub>(), nameof(IDatabase) },
        { b => b.ReplaceService<IQueryTranslationPreprocessorFactory, Stub>(), nameof(IQueryTranslationPreprocessorFactory) },
        { b => b.ReplaceService<IMigrationsSqlGenerator, Stub>(), nameof(IMigrationsSqlGenerator) },
    };

    [Theory]
    [MemberData(nameof(Replacements))]
    public void A_service_of_ours_that_is_replaced_is_named(Action<DbContextOptionsBuilder> replace, string service)
    {
        var builder = new DbContextOptionsBuilder().UseNpgsql("Host=none").UseEfConcurrency();
        replace(builder);
        Assert.Contains(service, Assert.Throws<InvalidOperationException>(() => new EmptyContext(builder.Options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_replacement_by_another_plug_in_is_noticed_by_the_first_save()
    {
        var builder = new DbContextOptionsBuilder().UseNpgsql("Host=none").UseEfConcurrency();
        ((IDbContextOptionsBuilderInfrastructure)builder).AddOrUpdateExtension(new OtherPlugIn());
        using var db = new EmptyContext(builder.Options);
        Assert.Contains("IDatabase", Assert.Throws<InvalidOperationException>(() => db.SaveChanges()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_differ_do_not_share_services()
    {
        using var one = new EmptyContext(new DbContextOptionsBuilder().UseNpgsql("Host=none").UseEfConcurrency().Options);
        using var two = new EmptyContext(new DbContextOptionsBuilder().UseNpgsql("Host=none").UseEfConcurrency(o => o.UseServerJudgedSaves(ServerJudgedSaves.Never)).Options);
        Assert.Equal(ServerJudgedSaves.WhenAvailable, one.GetService<EnvelopeOptions>().ServerJudged);
        Assert.Equal(ServerJudgedSaves.Never, two.GetService<EnvelopeOptions>().ServerJudged);
    }

    [Fact]
    public void An_empty_schema_is_refused()
        => Assert.Throws<ArgumentException>(() => new DbContextOptionsBuilder().UseEfConcurrency(o => o.UseSchema(" ")));

    private sealed class EmptyContext(DbContextOptions options) : DbContext(options);

    private abstract class Stub : IModificationCommandBatchFactory, IDatabase, IQueryTranslationPreprocessorFactory, IMigrationsSqlGenerator
    {
        public abstract ModificationCommandBatch Create();

        public abstract int SaveChanges(IList<IUpdateEntry> entries);

        public abstract Task<int> SaveChangesAsync(IList<IUpdateEntry> entries, CancellationToken cancellationToken = default);

        public abstract Func<QueryContext, TResult> CompileQuery<TResult>(System.Linq.Expressions.Expression query, bool async);

        public abstract System.Linq.Expressions.Expression<Func<QueryContext, TResult>> CompileQueryExpression<TResult>(System.Linq.Expressions.Expression query, bool async);

        public abstract QueryTranslationPreprocessor Create(QueryCompilationContext queryCompilationContext);

        public abstract IReadOnlyList<MigrationCommand> Generate(
            IReadOnlyList<Microsoft.EntityFrameworkCore.Migrations.Operations.MigrationOperation> operations,
            Microsoft.EntityFrameworkCore.Metadata.IModel? model = null,
            MigrationsSqlGenerationOptions options = MigrationsSqlGenerationOptions.Default);
    }

    private abstract class Extension(bool isProvider) : IDbContextOptionsExtension
    {
        public DbContextOptionsExtensionInfo Info => new ExtensionInfo(this, isProvider);

        public virtual void ApplyServices(IServiceCollection services)
        {
        }

        public void Validate(IDbContextOptions options)
        {
        }

        private sealed class ExtensionInfo(Extension extension, bool isProvider) : DbContextOptionsExtensionInfo(extension)
        {
            public override bool IsDatabaseProvider => isProvider;

            public override string LogFragment => "";

            public override int GetServiceProviderHashCode() => 0;

            public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) => other is ExtensionInfo;

            public override void PopulateDebugInfo(IDictionary<string, string> debugInfo)
            {
            }
        }
    }

    private sealed class OtherProvider() : Extension(isProvider: true);

    private sealed class OtherPlugIn() : Extension(isProvider: false)
    {
        public override void ApplyServices(IServiceCollection services) => services.AddScoped<IDatabase, OtherDatabase>();
    }

    private sealed class OtherDatabase(DatabaseDependencies dependencies, RelationalDatabaseDependencies relational) : RelationalDatabase(dependencies, relational);
}
