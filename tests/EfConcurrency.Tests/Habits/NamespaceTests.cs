using System.Text.RegularExpressions;

namespace EfConcurrency.Tests.Habits;

/// <summary>Types live in <c>EfConcurrency.Room</c>; extension methods where they are found without a using.</summary>
public sealed partial class NamespaceTests
{
    private static readonly string[] Foreign =
    [
        "Microsoft.EntityFrameworkCore", "Polly", "Microsoft.Extensions.DependencyInjection", "Microsoft.AspNetCore.Builder", "Microsoft.AspNetCore.Http",
        "OpenTelemetry.Metrics", "OpenTelemetry.Trace",
    ];

    [Fact]
    public void A_file_declares_the_namespace_of_its_room()
        => Habit.Holds(
            "A file of src/EfConcurrency declares namespace EfConcurrency.<Room>; only *Extensions.cs may declare that of what it extends.",
            SourceTree.CSharp("src/EfConcurrency").SelectMany(Misplaced));

    [Fact]
    public void Only_static_extension_classes_live_in_foreign_namespaces()
        => Habit.Holds(
            $"Types live in EfConcurrency.*; only static classes named *Extensions may live in {string.Join(" or ", Foreign)}.",
            from assembly in Habit.Assemblies
            from type in Habit.WrittenTypes(assembly)
            where !type.IsNested && !IsAllowed(type.Namespace, type.Name, isStatic: type is { IsAbstract: true, IsSealed: true })
            select $"{type.FullName} in {assembly.GetName().Name}");

    [Theory]
    [InlineData("Versioning", "X.cs", "EfConcurrency.Versioning", 0)]
    [InlineData("Versioning", "XExtensions.cs", "Microsoft.EntityFrameworkCore", 0)]
    [InlineData("Resilience", "XExtensions.cs", "Polly", 0)]
    [InlineData("Versioning", "X.cs", "Microsoft.EntityFrameworkCore", 1)]
    [InlineData("Versioning", "X.cs", "EfConcurrency.Resilience", 1)]
    [InlineData("Versioning", "X.cs", "EfConcurrency", 1)]
    public void A_file_in_a_wrong_namespace_is_found(string room, string file, string declared, int violations)
        => Assert.Equal(violations, Misplaced(new($"src/EfConcurrency/{room}/{file}", $"namespace {declared};\n")).Count());

    [Theory]
    [InlineData("EfConcurrency.Versioning", "Anything", false, true)]
    [InlineData("EfConcurrency.Testing", "Anything", false, true)]
    [InlineData("Microsoft.EntityFrameworkCore", "ThingExtensions", true, true)]
    [InlineData("Microsoft.EntityFrameworkCore", "ThingExtensions", false, false)]
    [InlineData("Microsoft.EntityFrameworkCore", "Thing", true, false)]
    [InlineData("EfConcurrency", "Thing", false, false)]
    [InlineData(null, "Thing", false, false)]
    public void A_type_in_a_wrong_namespace_is_found(string? space, string name, bool isStatic, bool isAllowed)
        => Assert.Equal(isAllowed, IsAllowed(space, name, isStatic));

    private static IEnumerable<string> Misplaced(SourceFile file)
        => from declared in Declaration().Matches(CSharpText.Of(file.Text).Code).Select(m => m.Groups[1].Value)
           where declared != $"EfConcurrency.{file.Room}" && !(Foreign.Contains(declared) && file.Name.EndsWith("Extensions.cs", StringComparison.Ordinal))
           select $"{file.Path}: namespace {declared}";

    private static bool IsAllowed(string? space, string name, bool isStatic)
        => Foreign.Contains(space)
            ? isStatic && name.EndsWith("Extensions", StringComparison.Ordinal)
            : space?.Split('.') is ["EfConcurrency", var room, ..] && (room is "Testing" or "RabbitMQ" or "AspNetCore" || Rooms.IsKnown(room));

    [GeneratedRegex(@"^namespace ([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
