using System.Reflection;
using EfConcurrency.AspNetCore.Preconditions;
using EfConcurrency.AspNetCore.Problems;
using EfConcurrency.Versioning;

namespace EfConcurrency.AspNetCore.Tests.Problems;

/// <summary>No error of the library is forgotten.</summary>
public sealed class ProblemTableTests
{
    [Fact]
    public void Every_public_exception_is_a_problem_or_not_for_the_wire()
        => Assert.Empty(Exceptions().Where(t => ProblemTable.OfType.ContainsKey(t) == ProblemTable.NotForTheWire.Contains(t)).Select(t => t.FullName));

    [Fact]
    public void The_documentation_lists_every_problem()
    {
        var page = File.ReadAllText(Path.Combine(Root(), "docs/patterns/http.md"));
        var missing = ProblemTable.OfType.Where(p => !page.Contains($"| `{p.Value.Name}` | {p.Value.Status} |", StringComparison.Ordinal) || !page.Contains($"`{p.Key.Name}`", StringComparison.Ordinal));
        Assert.Empty(missing.Select(p => $"{p.Value.Name} {p.Value.Status} {p.Key.Name}"));
    }

    [Fact]
    public void A_name_has_one_status_and_is_part_of_a_URI()
    {
        var problems = ProblemTable.OfType.Values.Append(ProblemTable.TransactionConflict).Distinct().ToList();
        Assert.Equal(problems.Count, problems.Select(p => p.Name).Distinct().Count());
        Assert.All(problems, p => Assert.Matches("^[a-z]+(-[a-z]+)*$", p.Name));
        Assert.All(problems, p => Assert.InRange(p.Status, 400, 503));
    }

    private static IEnumerable<Type> Exceptions()
        => ((Assembly[])[typeof(IVersioned).Assembly, typeof(IfMatch).Assembly]).SelectMany(a => a.GetExportedTypes()).Where(typeof(Exception).IsAssignableFrom);

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "EfConcurrency.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }
}
