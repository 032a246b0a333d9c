using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>A set-up in which locks would be left out of the SQL is refused.</summary>
public sealed class RowLockSetupTests
{
    public static TheoryData<Action<DbContextOptionsBuilder>, string> Replacements => new()
    {
        { b => b.ReplaceService<IQueryableMethodTranslatingExpressionVisitorFactory, Stub>(), nameof(IQueryableMethodTranslatingExpressionVisitorFactory) },
        { b => b.ReplaceService<IQuerySqlGeneratorFactory, Stub>(), nameof(IQuerySqlGeneratorFactory) },
        { b => b.ReplaceService<IShapedQueryCompilingExpressionVisitorFactory, Stub>(), nameof(IShapedQueryCompilingExpressionVisitorFactory) },
    };

    [Theory]
    [MemberData(nameof(Replacements))]
    public void A_replaced_service_is_named(Action<DbContextOptionsBuilder> replace, string service)
    {
        var builder = new DbContextOptionsBuilder<DepotContext>().UseNpgsql("Host=none").UseEfConcurrency();
        replace(builder);

        Assert.Contains(service, Assert.Throws<InvalidOperationException>(() => new DepotContext(builder.Options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_UseEfConcurrency_the_operators_are_not_translated()
    {
        using var db = new DepotContext(new DbContextOptionsBuilder<DepotContext>().UseNpgsql("Host=none").Options);

        Assert.Contains("could not be translated", Assert.Throws<InvalidOperationException>(() => db.Orders.ForUpdate().ToQueryString()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_service_that_another_plug_in_replaced_is_noticed_by_the_first_lock()
    {
        var builder = new DbContextOptionsBuilder<DepotContext>().UseNpgsql("Host=none").UseEfConcurrency();
        ((IDbContextOptionsBuilderInfrastructure)builder).AddOrUpdateExtension(new OtherPlugIn());
        using var db = new DepotContext(builder.Options);

        Assert.Contains("Call UseEfConcurrency() after it", Assert.Throws<InvalidOperationException>(() => db.Orders.ForUpdate().ToQueryString()).Message, StringComparison.Ordinal);
    }

    private abstract class Stub : IQueryableMethodTranslatingExpressionVisitorFactory, IQuerySqlGeneratorFactory, IShapedQueryCompilingExpressionVisitorFactory
    {
        public abstract QuerySqlGenerator Create();

        public abstract QueryableMethodTranslatingExpressionVisitor Create(QueryCompilationContext queryCompilationContext);

        ShapedQueryCompilingExpressionVisitor IShapedQueryCompilingExpressionVisitorFactory.Create(QueryCompilationContext queryCompilationContext)
            => throw new NotSupportedException();
    }

    private sealed class OtherPlugIn : IDbContextOptionsExtension
    {
        public DbContextOptionsExtensionInfo Info => new PlugInInfo(this);

        public void ApplyServices(IServiceCollection services) => services.AddSingleton<IQuerySqlGeneratorFactory, OtherGeneratorFactory>();

        public void Validate(IDbContextOptions options)
        {
        }
    }

    private sealed class PlugInInfo(IDbContextOptionsExtension extension) : DbContextOptionsExtensionInfo(extension)
    {
        public override bool IsDatabaseProvider => false;

        public override string LogFragment => "";

        public override int GetServiceProviderHashCode() => 1;

        public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) => other is PlugInInfo;

        public override void PopulateDebugInfo(IDictionary<string, string> debugInfo)
        {
        }
    }

    private sealed class OtherGeneratorFactory(QuerySqlGeneratorDependencies dependencies) : IQuerySqlGeneratorFactory
    {
        public QuerySqlGenerator Create() => new(dependencies);
    }
}
