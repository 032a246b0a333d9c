using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;

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

    private abstract class Stub : IQueryableMethodTranslatingExpressionVisitorFactory, IQuerySqlGeneratorFactory, IShapedQueryCompilingExpressionVisitorFactory
    {
        public abstract QuerySqlGenerator Create();

        public abstract QueryableMethodTranslatingExpressionVisitor Create(QueryCompilationContext queryCompilationContext);

        ShapedQueryCompilingExpressionVisitor IShapedQueryCompilingExpressionVisitorFactory.Create(QueryCompilationContext queryCompilationContext)
            => throw new NotSupportedException();
    }
}
