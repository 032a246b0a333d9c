using System.Globalization;
using System.Reflection;
using System.Text;
using EfConcurrency.Diagnostics;
using EfConcurrency.Testing;

namespace EfConcurrency.Tests.Habits;

/// <summary>
/// The public API is what stands in the committed baseline. A change rewrites the file on a developer's machine, so that it is seen in the
/// diff and committed with the code; in CI it fails.
/// </summary>
public sealed class PublicApiTests
{
    private static readonly Assembly[] Assemblies = [typeof(EfConcurrencyDiagnostics).Assembly, typeof(LocalPostgres).Assembly];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_public_API_is_the_committed_baseline(int assembly)
    {
        var path = Path.Combine(Repository.Root, "tests/EfConcurrency.Tests/Habits", Assemblies[assembly].GetName().Name + ".api.txt");
        var actual = Describe(Assemblies[assembly]);
        var committed = File.Exists(path) ? File.ReadAllText(path) : "";
        if (actual != committed && Environment.GetEnvironmentVariable("CI") != "true")
        {
            File.WriteAllText(path, actual);
        }

        Assert.Equal(committed, actual);
    }

    [Fact]
    public void Every_class_is_sealed_static_or_made_to_be_derived_from()
        => Assert.Empty(
            from assembly in Assemblies
            from type in assembly.GetTypes()
            where type is { IsClass: true, IsSealed: false, IsAbstract: false } && !type.Name.Contains('<', StringComparison.Ordinal)
            where type != typeof(EfConcurrency.Resilience.ConflictRetryOptions) // RetryOnConflictOptions adds to it
            where type.Namespace?.StartsWith("EfConcurrency", StringComparison.Ordinal) == true
            select type.FullName);

    [Fact]
    public void A_public_method_that_returns_a_task_is_named_Async_and_takes_a_token_last()
        => Assert.Empty(
            from assembly in Assemblies
            from type in assembly.GetExportedTypes()
            from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            where method.ReturnType.Name.StartsWith("Task", StringComparison.Ordinal) && method.DeclaringType != typeof(FaultProxy)
            where !method.Name.EndsWith("Async", StringComparison.Ordinal) || method.GetParameters().LastOrDefault()?.ParameterType != typeof(CancellationToken)
            select $"{type.Name}.{method.Name}");

    [Fact]
    public void Event_ids_are_given_once()
    {
        var ids = typeof(EventIds).GetFields().Select(f => (int)f.GetRawConstantValue()!).ToList();
        Assert.NotEmpty(ids);
        Assert.Equal(ids.Distinct(), ids);
        Assert.All(ids, id => Assert.InRange(id, 60000, 69999));
    }

    private static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            var kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct" : type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsSealed ? "sealed class" : "class";
            text.Append(CultureInfo.InvariantCulture, $"{kind} {type.FullName}{(type.BaseType is { } b && b != typeof(object) ? " : " + Name(b) : "")}\n");
            var members = type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly).Select(Member).OfType<string>();
            foreach (var member in members.Order(StringComparer.Ordinal))
            {
                text.Append(CultureInfo.InvariantCulture, $"  {member}\n");
            }
        }

        return text.ToString();
    }

    private static string? Member(MemberInfo member) => member switch
    {
        FieldInfo { IsSpecialName: false } field => field.IsLiteral ? $"{field.Name} = {field.GetRawConstantValue()}" : $"{Name(field.FieldType)} {field.Name}",
        PropertyInfo property => $"{Name(property.PropertyType)} {property.Name} {{ {(property.CanRead ? "get; " : "")}{(property.SetMethod is { IsPublic: true } set ? (set.ReturnParameter.GetRequiredCustomModifiers().Length > 0 ? "init; " : "set; ") : "")}}}",
        ConstructorInfo constructor => $"new({Parameters(constructor)})",
        MethodInfo { IsSpecialName: false } method when !method.Name.Contains('<', StringComparison.Ordinal)
            => $"{Name(method.ReturnType)} {method.Name}{(method.IsGenericMethod ? "<" + string.Join(", ", method.GetGenericArguments().Select(a => a.Name)) + ">" : "")}({Parameters(method)})",
        _ => null,
    };

    private static string Parameters(MethodBase method)
        => string.Join(", ", method.GetParameters().Select(p => $"{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? " = " + (p.DefaultValue ?? "default") : "")}"));

    private static string Name(Type type)
        => type.IsGenericType ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : type.Name;
}
