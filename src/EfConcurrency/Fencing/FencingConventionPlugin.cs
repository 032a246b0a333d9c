using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;

namespace EfConcurrency.Fencing;

/// <summary>Adds the conventions of this room to EF's.</summary>
/// <param name="schema">Schema of the library's functions.</param>
/// <param name="guardSchema">Schema of the envelope's guard function; null when saves are never judged by the server.</param>
internal sealed class FencingConventionPlugin(string schema, string? guardSchema) : IConventionSetPlugin
{
    public ConventionSet ModifyConventions(ConventionSet conventionSet)
    {
        // First, so that EF's own conventions on concurrency tokens (table sharing) see the finished token columns.
        conventionSet.ModelFinalizingConventions.Insert(0, new FencingFinalizingConvention(schema, guardSchema));
        conventionSet.ModelFinalizingConventions.Add(new FencingSharingConvention());
        return conventionSet;
    }
}
