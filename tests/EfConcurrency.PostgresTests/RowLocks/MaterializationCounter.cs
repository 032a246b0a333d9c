using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>Counts how often EF makes an order from a row.</summary>
public sealed class MaterializationCounter : IMaterializationInterceptor
{
    public int Orders { get; set; }

    public object InitializedInstance(MaterializationInterceptionData materializationData, object entity)
    {
        Orders += entity is Order ? 1 : 0;
        return entity;
    }
}
