using System.ComponentModel.DataAnnotations;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tests.Versioning;

/// <summary>A version that could not be checked is refused while the model is built.</summary>
public sealed class VersionModelTests
{
    [Fact]
    public void Two_versions_on_one_entity_are_refused()
        => Refused<TwoVersions>("has 2 version columns (Other, Version)", m => m.Entity<TwoVersions>().HasVersion(e => e.Other));

    [Fact]
    public void A_version_and_a_row_version_are_refused()
        => Refused<VersionAndRowVersion>("Keep one", m => m.Entity<VersionAndRowVersion>().Property(e => e.Xmin).IsRowVersion());

    [Fact]
    public void A_type_that_can_not_be_counted_is_refused()
        => Refused<TextVersion>("can't be a version", m => m.Entity<TextVersion>().HasVersion(e => e.Version));

    [Fact]
    public void A_nullable_version_is_refused()
        => Refused<NullableVersion>("can't be a version", m => m.Entity<NullableVersion>().HasVersion(e => e.Version));

    [Fact]
    public void A_version_without_a_key_is_refused()
        => Refused<Keyless>("no key", m => m.Entity<Keyless>().HasNoKey());

    [Fact]
    public void A_version_in_an_owned_type_of_the_owners_row_is_refused()
        => Refused<Owner>("Put the version on the owner", m => m.Entity<Owner>().OwnsOne(o => o.Part));

    [Fact]
    public void A_version_without_UseEfConcurrency_is_refused()
    {
        var options = new DbContextOptionsBuilder().UseNpgsql("Host=none").Options;
        using var db = new ModelContext(options, m => m.Entity<Plain>().HasVersion(e => e.Number));

        Assert.Contains("UseEfConcurrency()", Assert.Throws<VersionConfigurationException>(() => db.Model).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_given_in_the_options_make_versions_and_only_where_the_type_allows_it()
    {
        var options = new DbContextOptionsBuilder().UseNpgsql("Host=none").UseEfConcurrency(o => o.UseVersionsByName("Version", "Number")).Options;
        using var db = new ModelContext(options, m =>
        {
            m.Entity<Plain>();
            m.Entity<TextVersion>();
        });

        Assert.True(db.Model.FindEntityType(typeof(Plain))!.FindProperty("Number")!.IsConcurrencyToken);
        Assert.False(db.Model.FindEntityType(typeof(TextVersion))!.FindProperty("Version")!.IsConcurrencyToken);
    }

    [Fact]
    public void A_name_alone_makes_no_version_unless_the_options_say_so()
    {
        using var db = new ModelContext(Options(), m => m.Entity<Plain>());
        Assert.False(db.Model.FindEntityType(typeof(Plain))!.FindProperty("Number")!.IsConcurrencyToken);
    }

    private static void Refused<TEntity>(string message, Action<ModelBuilder> build)
        where TEntity : class
    {
        using var db = new ModelContext(Options(), m =>
        {
            m.Entity<TEntity>();
            build(m);
        });

        var error = Assert.Throws<VersionConfigurationException>(() => db.Model);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(error.EntityType);
    }

    private static DbContextOptions Options() => new DbContextOptionsBuilder().UseNpgsql("Host=none").UseEfConcurrency().Options;

    private sealed class TwoVersions
    {
        public int Id { get; set; }

        [Version]
        public long Version { get; set; }

        public int Other { get; set; }
    }

    private sealed class VersionAndRowVersion : IVersioned
    {
        public int Id { get; set; }

        public long Version { get; set; }

        public uint Xmin { get; set; }
    }

    private sealed class TextVersion
    {
        public int Id { get; set; }

        public string Version { get; set; } = "";
    }

    private sealed class NullableVersion
    {
        public int Id { get; set; }

        public long? Version { get; set; }
    }

    private sealed class Keyless : IVersioned
    {
        public long Version { get; set; }
    }

    private sealed class Owner
    {
        public int Id { get; set; }

        public Part Part { get; set; } = new();
    }

    private sealed class Part : IVersioned
    {
        [MaxLength(10)]
        public string Text { get; set; } = "";

        public long Version { get; set; }
    }

    private sealed class Plain
    {
        public int Id { get; set; }

        public int Number { get; set; }
    }

    /// <summary>A context whose model is given by the test, so it may not be cached by type.</summary>
    private sealed class ModelContext(DbContextOptions options, Action<ModelBuilder> build) : DbContext(options)
    {
        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
            => optionsBuilder.ReplaceService<Microsoft.EntityFrameworkCore.Infrastructure.IModelCacheKeyFactory, NoModelCache>().EnableServiceProviderCaching(false);

        protected override void OnModelCreating(ModelBuilder modelBuilder) => build(modelBuilder);
    }

    private sealed class NoModelCache : Microsoft.EntityFrameworkCore.Infrastructure.IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime) => new();
    }
}
