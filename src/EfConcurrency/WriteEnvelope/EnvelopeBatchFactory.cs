#pragma warning disable EF1001 // The provider's batch is the only place where statements can join EF's own without breaking its row-count checks.
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Update;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Update.Internal;

namespace EfConcurrency.WriteEnvelope;

/// <summary>Makes the batches of a save; migrations' data operations, which have no save, get the provider's own.</summary>
internal sealed class EnvelopeBatchFactory(
    ModificationCommandBatchFactoryDependencies dependencies,
    IDbContextOptions options,
    EnvelopeState state,
    EnvelopeOptions envelopeOptions)
    : NpgsqlModificationCommandBatchFactory(dependencies, options)
{
    private const int ProviderDefaultBatchSize = 1000;

    private readonly ModificationCommandBatchFactoryDependencies _dependencies = dependencies;
    private readonly int _maxBatchSize = options.FindExtension<NpgsqlOptionsExtension>()?.MaxBatchSize ?? ProviderDefaultBatchSize;

    public override ModificationCommandBatch Create()
        => state.Current is { } save
            ? new EnvelopeBatch(_dependencies, _maxBatchSize, save, envelopeOptions.GuardSchema)
            : base.Create();
}
