using EfConcurrency.Fencing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.Tests.Fencing;

/// <summary>Fences that could not be checked are refused while the model is built.</summary>
public sealed class FencingModelTests
{
    public static TheoryData<string, Action<ModelBuilder>> Refused => new()
    {
        { "nothing says by which resource", m => m.Entity<Row>().HasFencingToken(r => r.Token) },
        { "nothing says by which resource", m => m.HasLeases().Entity<Row>().HasFencingTrigger(strict: true) },
        { "nothing could be checked", m => m.Entity<Row>().FencedBy("x") },
        { "Keep one", m => m.Entity<Row>().FencedBy("x").HasFencingToken(r => r.Token).HasFencingToken("Other") },
        { "no key", m => m.HasLeases().Entity<Row>().HasNoKey().FencedBy("x") },
        { "1 to 200", m => m.HasLeases().Entity<Row>().FencedBy(new string('x', 201)) },
        { "not a mapped property", m => m.HasLeases().Entity<Row>(r => r.FencedBy(x => "x" + x.NotMapped).Ignore(x => x.NotMapped)) },
        { "whose text may differ", m => m.HasLeases().Entity<Row>().FencedBy(r => "x" + r.Day) },
        { "with a value converter", m => m.HasLeases().Entity<Row>(r => r.FencedBy(x => "x" + x.Id).Property(x => x.Id).HasConversion<string>()) },
        { "Use a plain long", m => m.Entity<Row>(r => r.FencedBy("x").HasFencingToken(x => x.Token).Property(x => x.Token).HasConversion<string>()) },
        { "strict fencing trigger, which looks into the lease table", m => m.Entity<Row>().FencedBy("x").HasFencingToken(r => r.Token).HasFencingTrigger(strict: true) },
        { "no token column", m => m.HasLeases().Entity<Row>().FencedBy("x").HasFencingTrigger() },
        { "Put FencedBy on the owner", m => m.HasLeases().Entity<Row>().OwnsOne(r => r.Part, p => p.HasAnnotation(FencingAnnotations.FencedBy, "x")) },
        { "Fence it by one name", m =>
            {
                m.Entity<Row>().ToTable("t").FencedBy(r => "x" + r.Id).HasFencingToken(r => r.Token);
                m.Entity<Twin>().ToTable("t").HasOne<Row>().WithOne().HasForeignKey<Twin>(t => t.Id);
            } },
    };

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public void A_fence_that_could_not_be_checked_is_refused(string because, Action<ModelBuilder> build)
        => Assert.Contains(because, Assert.Throws<FencingConfigurationException>(() => Build(build)).Message, StringComparison.Ordinal);

    [Fact]
    public void Without_UseEfConcurrency_every_declaration_is_refused()
    {
        Action<ModelBuilder>[] declarations =
        [
            m => m.Entity<Row>().FencedBy("x"),
            m => m.Entity<Row>().FencedBy(r => "x" + r.Id),
            m => m.Entity<Row>().HasFencingToken(r => r.Token),
            m => m.Entity<Row>().HasFencingToken("Token"),
            m => m.Entity<Row>().HasFencingTrigger(),
        ];
        foreach (var declaration in declarations)
        {
            Assert.Contains("UseEfConcurrency", Assert.Throws<FencingConfigurationException>(() => Build(declaration, useEfConcurrency: false)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_token_is_compared_and_written_and_the_finished_model_keeps_what_migrations_need()
    {
        var model = Build(m => m.HasLeases().Entity<Row>().FencedBy(r => "x" + r.Id).HasFencingToken(r => r.Token).HasFencingTrigger(strict: true));
        var row = model.FindEntityType(typeof(Row))!;
        var token = row.FindProperty(nameof(Row.Token))!;
        Assert.True(token.IsConcurrencyToken);
        Assert.Equal((ValueGenerated.OnUpdate, PropertySaveBehavior.Save), (token.ValueGenerated, token.GetAfterSaveBehavior()));
        Assert.Equal("x{Id}", row[FencingAnnotations.FencedBy]);
        Assert.Null(model.FindAnnotation("EfConcurrency:IsSupported"));
        Assert.NotNull(model.FindAnnotation(FencingAnnotations.Functions));
    }

    /// <summary>Two entities in one row: a change of either is fenced.</summary>
    [Fact]
    public void An_entity_that_shares_the_row_shares_its_fence()
    {
        var model = Build(m =>
        {
            m.Entity<Row>().ToTable("t").FencedBy("x").HasFencingToken(r => r.Token);
            m.Entity<Twin>().ToTable("t").HasOne<Row>().WithOne().HasForeignKey<Twin>(t => t.Id);
        });
        Assert.Equal("x", model.FindEntityType(typeof(Twin))![FencingAnnotations.FencedBy]);
        Assert.Contains(model.FindEntityType(typeof(Twin))!.GetProperties(), Fence.IsToken);
    }

    [Fact]
    public void A_derived_type_is_fenced_as_its_base()
    {
        var model = Build(m =>
        {
            m.Entity<Row>().FencedBy("x").HasFencingToken(r => r.Token);
            m.Entity<SpecialRow>();
        });
        Assert.Equal("x", Fence.FindTemplate(model.FindEntityType(typeof(SpecialRow))!));
    }

    private static IModel Build(Action<ModelBuilder> build, bool useEfConcurrency = true)
    {
        var options = new DbContextOptionsBuilder<BuiltContext>().UseNpgsql("Host=nowhere").ReplaceService<IModelCacheKeyFactory, NoCache>();
        using var db = new BuiltContext((useEfConcurrency ? options.UseEfConcurrency() : options).Options, build);
        return db.GetService<IDesignTimeModel>().Model;
    }

    public class Row
    {
        public int Id { get; set; }

        public long Token { get; set; }

        public DateOnly Day { get; set; }

        public string? NotMapped { get; set; }

        public Part? Part { get; set; }
    }

    public sealed class SpecialRow : Row;

    [Owned]
    public sealed class Part
    {
        public int Number { get; set; }
    }

    public sealed class Twin
    {
        public int Id { get; set; }

        public string? Name { get; set; }
    }

    private sealed class BuiltContext(DbContextOptions<BuiltContext> options, Action<ModelBuilder> build) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) => build(modelBuilder);
    }

    private sealed class NoCache : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime) => (context, designTime);
    }
}
