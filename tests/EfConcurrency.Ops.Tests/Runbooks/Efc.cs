using System.Diagnostics;
using EfConcurrency.Ops.Tests.Support;

namespace EfConcurrency.Ops.Tests.Runbooks;

/// <summary>The tool, as it is run from a shell without a terminal.</summary>
internal static class Efc
{
    public static Task<Run> RunAsync(string? connectionString, params string[] arguments)
    {
        var start = new ProcessStartInfo(Run.PathOf("efc"), arguments);
        start.Environment["EFC_CONNECTION"] = connectionString;
        return Run.ToEndAsync(start);
    }
}
