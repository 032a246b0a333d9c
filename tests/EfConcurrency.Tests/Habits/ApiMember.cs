using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace EfConcurrency.Tests.Habits;

/// <summary>A member as C# declares it, on one line.</summary>
internal static class ApiMember
{
    /// <summary>Whether a member is public API: public or protected, and not made by the compiler (accessors, a record's equality).</summary>
    public static bool IsPublic(MemberInfo member) => member switch
    {
        FieldInfo field => IsVisible(field.Attributes),
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsVisible) && property.Name != "EqualityContract",
        EventInfo @event => IsVisible(@event.AddMethod!),
        ConstructorInfo constructor => IsVisible(constructor) && !constructor.IsStatic,
        MethodInfo method => IsVisible(method) && !member.IsDefined(typeof(CompilerGeneratedAttribute)) && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)),
        _ => false,
    };

    public static string Describe(MemberInfo member) => member switch
    {
        FieldInfo { IsLiteral: true } field => $"{Access(field.IsFamily)}const {ApiName.Of(field.FieldType)} {field.Name} = {Value(field.GetRawConstantValue(), field.FieldType)}",
        FieldInfo field => $"{Access(field.IsFamily)}{(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{ApiName.Of(field.FieldType)} {field.Name}",
        PropertyInfo property => Describe(property),
        EventInfo @event => $"{Access(@event.AddMethod!.IsFamily)}event {ApiName.Of(@event.EventHandlerType!)} {@event.Name}",
        ConstructorInfo constructor => $"{Access(IsProtected(constructor))}{constructor.DeclaringType!.Name.Split('`')[0]}({Parameters(constructor)})",
        MethodInfo method => $"{Access(IsProtected(method))}{Modifiers(method)}{Ref(method.ReturnParameter)}{ApiName.Of(method.ReturnType)} {method.Name}"
            + $"{(method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : "")}({Parameters(method)})"
            + ApiName.Constraints(method.IsGenericMethod ? method.GetGenericArguments() : []),
        _ => throw new NotSupportedException(member.ToString()),
    };

    private static string Describe(PropertyInfo property)
    {
        var accessor = property.GetAccessors(nonPublic: true).First(IsVisible);
        var name = property.GetIndexParameters() is { Length: > 0 } index ? $"this[{string.Join(", ", index.Select(Parameter))}]" : property.Name;
        var get = property.GetMethod is { } getter && IsVisible(getter) ? "get; " : "";
        var isInit = property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) is true;
        var set = property.SetMethod is { } setter && IsVisible(setter) ? (IsProtected(setter) && !IsProtected(accessor) ? "protected " : "") + (isInit ? "init; " : "set; ") : "";
        var required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        return $"{Access(IsProtected(accessor))}{required}{Modifiers(accessor)}{ApiName.Of(property.PropertyType)} {name} {{ {get}{set}}}";
    }

    private static string Parameters(MethodBase method)
        => (method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "") + string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
        => $"{(parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params " : "")}{Ref(parameter)}{ApiName.Of(parameter.ParameterType)} {parameter.Name}"
            + (parameter.HasDefaultValue ? " = " + Value(parameter.DefaultValue, parameter.ParameterType) : "");

    private static string Ref(ParameterInfo parameter)
        => parameter switch
        {
            { ParameterType.IsByRef: false } => "",
            { IsOut: true } => "out ",
            { IsIn: true } => "in ",
            _ => "ref ",
        };

    private static string Value(object? value, Type type) => value switch
    {
        null => type.IsValueType && Nullable.GetUnderlyingType(type) is null ? "default" : "null",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        _ when type.IsEnum => $"{ApiName.Of(type)}.{Enum.ToObject(type, value)}",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Modifiers(MethodInfo method)
    {
        if (method.DeclaringType!.IsInterface)
        {
            return method is { IsAbstract: false, IsStatic: false } ? "virtual " : method.IsStatic ? "static " : "";
        }

        return method switch
        {
            { IsStatic: true } => "static ",
            { IsAbstract: true } => "abstract ",
            { IsVirtual: true } when method.GetBaseDefinition() != method => method.IsFinal ? "sealed override " : "override ",
            { IsVirtual: true, IsFinal: false } => "virtual ",
            _ => "",
        };
    }

    private static string Access(bool isProtected) => isProtected ? "protected " : "";

    private static bool IsProtected(MethodBase method) => method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsVisible(FieldAttributes attributes)
        => (attributes & FieldAttributes.FieldAccessMask) is FieldAttributes.Public or FieldAttributes.Family or FieldAttributes.FamORAssem && !attributes.HasFlag(FieldAttributes.SpecialName);

    private static bool IsVisible(MethodBase method) => method.IsPublic || (IsProtected(method) && !method.DeclaringType!.IsSealed);
}
