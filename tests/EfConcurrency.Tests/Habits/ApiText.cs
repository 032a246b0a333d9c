using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace EfConcurrency.Tests.Habits;

/// <summary>The public API of an assembly as text: a line a type, a line a member, sorted, full names, so that a diff reads as a change of the API.</summary>
internal static class ApiText
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Of(Assembly assembly) => Of(assembly.GetExportedTypes());

    public static string Of(IEnumerable<Type> types) => string.Join('\n', types.OrderBy(t => t.FullName, StringComparer.Ordinal).Select(Describe));

    private static string Describe(Type type)
        => $"{Kind(type)} {ApiName.Of(type)}{Bases(type)}{ApiName.Constraints(type)}\n{string.Concat(Members(type).Select(m => $"    {m}\n"))}";

    private static string Kind(Type type) => type switch
    {
        { IsEnum: true } => type.IsDefined(typeof(FlagsAttribute), false) ? "[Flags] enum" : "enum",
        { IsInterface: true } => "interface",
        { IsValueType: true } => type.IsDefined(typeof(IsReadOnlyAttribute), false) ? "readonly struct" : "struct",
        _ when typeof(Delegate).IsAssignableFrom(type) => "delegate",
        { IsAbstract: true, IsSealed: true } => "static class",
        _ => (type.IsSealed ? "sealed " : type.IsAbstract ? "abstract " : "") + (type.GetMethod("<Clone>$") is null ? "class" : "record"),
    };

    private static string Bases(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetUnderlyingType(type) == typeof(int) ? "" : " : " + ApiName.Of(Enum.GetUnderlyingType(type));
        }

        Type[] own = type.BaseType is { } b && b != typeof(object) && b != typeof(ValueType) && b != typeof(MulticastDelegate) ? [b] : [];
        var interfaces = type.GetInterfaces()
            .Where(i => i.IsVisible && !typeof(Delegate).IsAssignableFrom(type) && type.BaseType?.GetInterfaces().Contains(i) is not true)
            .Select(ApiName.Of)
            .Order(StringComparer.Ordinal);
        var all = own.Select(ApiName.Of).Concat(interfaces).ToList();
        return all.Count == 0 ? "" : " : " + string.Join(", ", all);
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type)
                .Select(n => (Name: n, Value: Convert.ToInt64(Enum.Parse(type, n), CultureInfo.InvariantCulture)))
                .OrderBy(m => m.Value)
                .Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.Name} = {m.Value}"));
        }

        return typeof(Delegate).IsAssignableFrom(type)
            ? [ApiMember.Describe(type.GetMethod("Invoke")!)]
            : type.GetMembers(Declared).Where(ApiMember.IsPublic).Select(ApiMember.Describe).Order(StringComparer.Ordinal);
    }
}
