namespace EfConcurrency.Tests.Habits;

/// <summary>Types as C# writes them, with full names.</summary>
internal static class ApiName
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(char)] = "char",
        [typeof(decimal)] = "decimal",
        [typeof(double)] = "double",
        [typeof(float)] = "float",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(void)] = "void",
    };

    public static string Of(Type type)
    {
        if (Keywords.TryGetValue(type, out var keyword))
        {
            return keyword;
        }

        if (type.IsByRef)
        {
            return Of(type.GetElementType()!);
        }

        if (type.IsArray)
        {
            return $"{Of(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Of(value) + "?";
        }

        return type.IsGenericParameter ? type.Name : Named(type);
    }

    /// <summary>The <c>where</c> clauses of a generic type or method.</summary>
    public static string Constraints(IEnumerable<Type> parameters) => string.Concat(parameters.Where(p => p.IsGenericParameter).Select(Constraint));

    public static string Constraints(Type type) => Constraints(type.IsNested ? type.GetGenericArguments().Skip(type.DeclaringType!.GetGenericArguments().Length) : type.GetGenericArguments());

    private static string Constraint(Type parameter)
    {
        var attributes = parameter.GenericParameterAttributes;
        var isStruct = attributes.HasFlag(System.Reflection.GenericParameterAttributes.NotNullableValueTypeConstraint);
        string[] all =
        [
            .. attributes.HasFlag(System.Reflection.GenericParameterAttributes.ReferenceTypeConstraint) ? ["class"] : Array.Empty<string>(),
            .. isStruct ? ["struct"] : Array.Empty<string>(),
            .. parameter.GetGenericParameterConstraints().Where(t => t != typeof(ValueType)).Select(Of),
            .. attributes.HasFlag(System.Reflection.GenericParameterAttributes.DefaultConstructorConstraint) && !isStruct ? ["new()"] : Array.Empty<string>(),
        ];
        return all.Length == 0 ? "" : $" where {parameter.Name} : {string.Join(", ", all)}";
    }

    /// <summary>The name with its own generic arguments; those a nested type repeats from its outer type stand there.</summary>
    private static string Named(Type type)
    {
        var outer = type.IsNested ? type.DeclaringType!.GetGenericArguments().Length : 0;
        var arguments = type.GetGenericArguments();
        var prefix = type.IsNested
            ? Of(outer == 0 ? type.DeclaringType! : type.DeclaringType!.MakeGenericType(arguments[..outer]))
            : type.Namespace;
        var name = type.Name.Split('`')[0];
        return $"{prefix}.{name}{(arguments.Length > outer ? $"<{string.Join(", ", arguments[outer..].Select(Of))}>" : "")}";
    }
}
