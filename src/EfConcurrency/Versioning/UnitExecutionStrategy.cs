using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Versioning;

/// <summary>
/// Stands in the place of the context's own strategy while a unit runs, and retries nothing: attempts are counted in one place,
/// and a strategy of <c>EnableRetryOnFailure</c> would refuse the unit's transaction.
/// </summary>
internal sealed class UnitExecutionStrategy(DbContext context) : ExecutionStrategy(context, maxRetryCount: 0, maxRetryDelay: TimeSpan.Zero)
{
    protected override bool ShouldRetryOn(Exception exception) => false;
}
