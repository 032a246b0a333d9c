using System.Reflection;

namespace EfConcurrency.Tests.Habits;

/// <summary>What the habit tests share: the assemblies they look at and how they say what they found.</summary>
internal static class Habit
{
    /// <summary>The packages, by name, so that these tests need no type of theirs.</summary>
    public static readonly Assembly[] Assemblies =
    [
        Assembly.Load("EfConcurrency"), Assembly.Load("EfConcurrency.Testing"), Assembly.Load("EfConcurrency.RabbitMQ"), Assembly.Load("EfConcurrency.AspNetCore"),
        Assembly.Load("EfConcurrency.OpenTelemetry"),
    ];

    public static Assembly Library => Assemblies[0];

    /// <summary>Fails with the rule and every place that breaks it, one a line.</summary>
    public static void Holds(string rule, IEnumerable<string> violations)
    {
        var found = violations.Distinct().ToList();
        if (found.Count > 0)
        {
            Assert.Fail($"{rule}{Environment.NewLine}{string.Join(Environment.NewLine, found.Select(v => "  " + v))}");
        }
    }

    /// <summary>The types a person wrote, nested ones too.</summary>
    public static IEnumerable<Type> WrittenTypes(Assembly assembly)
        => assembly.GetTypes().Where(t => !t.FullName!.Contains('<', StringComparison.Ordinal) && !IsGenerated(t));

    private static bool IsGenerated(Type type)
        => type.CustomAttributes.Any(a => a.AttributeType.Name is "CompilerGeneratedAttribute" or "GeneratedCodeAttribute");
}
