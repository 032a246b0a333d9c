using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Fencing;
using EfConcurrency.Inbox;
using EfConcurrency.Idempotency;
using EfConcurrency.Messaging;
using EfConcurrency.Migrations;
using EfConcurrency.Outbox;
using EfConcurrency.QueryPipeline;
using EfConcurrency.RowLocks;
using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace EfConcurrency.Infrastructure;

/// <summary>Puts the rooms' services into EF's internal provider, and refuses set-ups in which they could not work.</summary>
internal sealed class EfConcurrencyOptionsExtension(EfConcurrencyOptions options) : IDbContextOptionsExtension
{
    private const string NpgsqlAssembly = "Npgsql.EntityFrameworkCore.PostgreSQL";

    /// <summary>The services whose place the rooms take.</summary>
    private static readonly Type[] Replaced =
    [
        typeof(IDatabase),
        EnvelopeStateManager.Service,
        typeof(IModificationCommandBatchFactory),
        typeof(IModificationCommandFactory),
        typeof(IUpdateSqlGenerator),
        typeof(IRelationalAnnotationProvider),
        typeof(IMigrationsSqlGenerator),
        typeof(IQueryTranslationPreprocessorFactory),
        typeof(IQueryableMethodTranslatingExpressionVisitorFactory),
        typeof(IQuerySqlGeneratorFactory),
        typeof(IShapedQueryCompilingExpressionVisitorFactory),
        typeof(IQueryContextFactory),
    ];

    private DbContextOptionsExtensionInfo? _info;

    public EfConcurrencyOptions Options { get; } = options;

    public DbContextOptionsExtensionInfo Info => _info ??= new ExtensionInfo(this);

    public void ApplyServices(IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        AddWriteEnvelope(services);
        AddQueryPipeline(services);
        AddMigrations(services);
        AddInbox(services);
        AddFencing(services);
        AddVersioning(services);
        AddRowLocks(services);
        AddAdvisoryLocks(services);
        AddIdempotency(services);
        AddOutbox(services);
    }

    public void Validate(IDbContextOptions options)
    {
        var provider = options.Extensions.FirstOrDefault(e => e.Info.IsDatabaseProvider);
        if (provider is null)
        {
            throw new InvalidOperationException("UseEfConcurrency() found no database provider. Call UseNpgsql(…) on the same options.");
        }

        if (provider.GetType().Assembly.GetName().Name != NpgsqlAssembly)
        {
            throw new InvalidOperationException(
                $"UseEfConcurrency() works with PostgreSQL through {NpgsqlAssembly} only, but the context uses '{provider.GetType().Assembly.GetName().Name}'. "
                + "Use UseNpgsql(…), or remove UseEfConcurrency() from this context.");
        }

        var replacements = options.FindExtension<CoreOptionsExtension>()?.ReplacedServices;
        if (replacements?.Keys.Select(k => k.Item1).FirstOrDefault(Replaced.Contains) is { } service)
        {
            throw new InvalidOperationException(
                $"ReplaceService<{service.Name}, …>() removes the {service.Name} of EfConcurrency, and with it the checks of saves or the locks of queries. "
                + "Remove that ReplaceService call, or UseEfConcurrency() from this context.");
        }
    }

    // AddX, not TryAddX: the last registration wins, whether UseNpgsql() was called before us or is called after us.
    private void AddWriteEnvelope(IServiceCollection services)
    {
        services.AddSingleton(p => new EnvelopeOptions(
            Options.ServerJudged,
            Options.MaxJudgedStatements,
            p.GetRequiredService<ISqlGenerationHelper>().DelimitIdentifier(Options.Schema),
            Options.Schema));
        services.AddSingleton<GuardFunctionProbe>();
        AddState<EnvelopeState>(services);
        services.AddScoped<IDatabase, EnvelopeDatabase>();
        EnvelopeStateManager.Register(services);
        services.AddScoped<IModificationCommandBatchFactory, EnvelopeBatchFactory>();
        services.AddScoped<IInterceptor, EnvelopeInterceptor>();
        services.AddSingleton<IModificationCommandFactory, EnvelopeModificationCommandFactory>();
        services.AddSingleton<IUpdateSqlGenerator, EnvelopeUpdateSqlGenerator>();
        services.AddScoped<IConventionSetPlugin, EnvelopeModelConvention>();
    }

    private static void AddQueryPipeline(IServiceCollection services)
    {
        services.AddScoped<IQueryTranslationPreprocessorFactory, BulkWritePreprocessorFactory>();
        services.AddScoped<IMethodCallTranslatorPlugin, GuardCall>();
    }

    private static void AddMigrations(IServiceCollection services)
    {
        services.AddSingleton(new DatabaseFunction(
            GuardFunctionAnnotation.Name, Version: 1, names => WriteEnvelopeSql.CreateGuardFunction(names[0]), WriteEnvelopeSql.DropGuardFunction));
        services.AddSingleton<ITableObject, LibrarySchema>();
        services.AddSingleton<ITableObject, PartitionedTable>();
        services.AddSingleton<IRelationalAnnotationProvider, DatabaseObjectAnnotationProvider>();
        services.AddSingleton<IMigrationsAnnotationProvider, DatabaseObjectRemovalAnnotationProvider>();
        services.AddScoped<IMigrationsSqlGenerator, DatabaseObjectMigrationsSqlGenerator>();
    }

    /// <summary>First of all: a save that is refused as a duplicate is not to be explained as anything else.</summary>
    private static void AddInbox(IServiceCollection services)
    {
        AddContributorState<ContextInbox>(services);
        services.AddScoped<IInterceptor, InboxInterceptor>();
    }

    /// <summary>Before versioning: a row that a newer holder has written is reported as that, not as a version conflict.</summary>
    private void AddFencing(IServiceCollection services)
    {
        services.AddScoped<IConventionSetPlugin>(_ => new FencingConventionPlugin(
            Options.Schema, Options.ServerJudged == ServerJudgedSaves.WhenAvailable ? Options.Schema : null));
        services.AddSingleton(new DatabaseFunction(
            FencingAnnotations.Functions, Version: 1, names => FencingSql.CreateFunctions(names[0], $"{names[0]}.{names[1]}"), FencingSql.DropFunctions));
        services.AddSingleton(new DatabaseFunction(
            FencingAnnotations.RejectFunction, Version: 1, names => FencingSql.CreateRejectFunction(names[0]), FencingSql.DropRejectFunction));
        services.AddSingleton<ITableObject, FencingTrigger>();
        AddState<FencingScope>(services);
        services.AddScoped<FencingReport>();
        services.AddScoped<FencingRejection>();
        services.AddScoped<IEnvelopeContributor, FencingTokens>();
        services.AddScoped<IBulkWriteContributor, BulkFence>();
        services.AddScoped<IInterceptor, FencingInterceptor>();
    }

    private void AddVersioning(IServiceCollection services)
    {
        services.AddScoped<IConventionSetPlugin>(p => new VersionConventionPlugin(
            p.GetRequiredService<ProviderConventionSetBuilderDependencies>(),
            Options.VersionPropertyNames,
            Options.ServerJudged == ServerJudgedSaves.WhenAvailable ? Options.Schema : null));
        services.AddScoped<IBulkWriteContributor, BulkVersionBump>();
        services.AddScoped<IEnvelopeContributor, VersionBump>();
        AddContributorState<VersionVerifications>(services);
        AddContributorState<VersionExpectations>(services);
        services.AddScoped<IEnvelopeContributor, VersionConflictExplainer>();
        AddContributorState<RetryUnitState>(services);
        services.AddScoped<IInterceptor, RetryUnitInterceptor>();
    }

    private static void AddRowLocks(IServiceCollection services)
    {
        services.AddScoped<IQueryableMethodTranslatingExpressionVisitorFactory, LockTranslatorFactory>();
        services.AddScoped<IShapedQueryCompilingExpressionVisitorFactory, LockedQueryCompilerFactory>();
        services.AddScoped<IQueryContextFactory, LockedQueryContextFactory>();
        services.AddSingleton<IQuerySqlGeneratorFactory, LockSqlGeneratorFactory>();
        services.AddSingleton<ILockedQueryGuard, LockedQueryGuard>();
    }

    private static void AddAdvisoryLocks(IServiceCollection services)
    {
        services.AddSingleton<AdvisoryLockNameRecorder>();
        AddContributorState<AdvisoryLockState>(services);
        services.AddScoped<IInterceptor, AdvisoryLockInterceptor>();
        services.AddScoped<IInterceptor, RidingLockInterceptor>();
    }

    /// <summary>After all others: within a key, ids follow the order of commits because the messages are the last statement of a save.</summary>
    private void AddOutbox(IServiceCollection services)
    {
        AddGuardFunctionFor(services, typeof(OutboxRecord));
        services.AddScoped(p => OfContext(p).Messages);
        services.AddScoped(p => OfContext(p).Outbox);
        services.AddSingleton<OutboxMessageFactories>();
        services.AddScoped(p => p.GetRequiredService<OutboxMessageFactories>().Of(p.GetRequiredService<MessageContracts>(), p.GetRequiredService<OutboxSettings>()));
        services.AddSingleton<OutboxStatement>();
        services.AddSingleton<OutboxTableCheck>();
        AddContributorState<OutboxQueue>(services);
        services.AddScoped<IInterceptor, OutboxInterceptor>();
    }

    private void AddIdempotency(IServiceCollection services)
    {
        AddGuardFunctionFor(services, typeof(IdempotencyRecord));
        AddContributorState<IdempotencyUnitState>(services);
        services.AddScoped<IInterceptor, IdempotencyInterceptor>();
    }

    private void AddGuardFunctionFor(IServiceCollection services, Type riding)
    {
        if (Options.ServerJudged == ServerJudgedSaves.WhenAvailable)
        {
            services.AddScoped<IConventionSetPlugin>(_ => new GuardFunctionConvention(Options.Schema, riding));
        }
    }

    /// <summary>What lives as long as a context, and is cleared when a pooled one goes back.</summary>
    private static void AddState<TState>(IServiceCollection services)
        where TState : class, IResettableService
    {
        services.AddScoped<TState>();
        services.AddScoped<IResettableService>(p => p.GetRequiredService<TState>());
    }

    private static void AddContributorState<TState>(IServiceCollection services)
        where TState : class, IResettableService, IEnvelopeContributor
    {
        AddState<TState>(services);
        services.AddScoped<IEnvelopeContributor>(p => p.GetRequiredService<TState>());
    }

    /// <summary>What does not decide which services there are: contexts that differ in it alone share them (EF warns at twenty providers).</summary>
    private static EfConcurrencyOptions OfContext(IServiceProvider scope)
        => scope.GetRequiredService<IDbContextOptions>().FindExtension<EfConcurrencyOptionsExtension>()!.Options;

    private sealed class ExtensionInfo(EfConcurrencyOptionsExtension extension) : DbContextOptionsExtensionInfo(extension)
    {
        public override bool IsDatabaseProvider => false;

        public override string LogFragment => "EfConcurrency ";

        private EfConcurrencyOptions Options => ((EfConcurrencyOptionsExtension)Extension).Options;

        public override int GetServiceProviderHashCode() => Options.GetHashCode();

        public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other)
            => other is ExtensionInfo info && info.Options.Equals(Options);

        public override void PopulateDebugInfo(IDictionary<string, string> debugInfo)
            => debugInfo["EfConcurrency:ServerJudgedSaves"] = Options.ServerJudged.ToString();
    }
}
