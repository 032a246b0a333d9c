using System.Reflection;
using System.Reflection.Emit;

namespace EfConcurrency.Tests.Habits;

/// <summary>The types a compiled type uses: in its signatures, attributes and method bodies.</summary>
internal static class TypeUse
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> OpCodes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!)
        .ToDictionary(o => o.Value);

    public static IEnumerable<Type> Of(Type type)
    {
        IEnumerable<Type?> used = [type.BaseType, .. type.GetInterfaces(), .. Attributes(type), .. type.GetGenericArguments().SelectMany(Constraints)];
        used = used
            .Concat(type.GetFields(Declared).Select(f => f.FieldType))
            .Concat(type.GetMethods(Declared).SelectMany(Signature))
            .Concat(type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared)).SelectMany(Body))
            .Concat(type.GetMembers(Declared).SelectMany(Attributes));
        return used.OfType<Type>().SelectMany(Parts).Distinct();
    }

    private static IEnumerable<Type?> Signature(MethodInfo method)
        => [method.ReturnType, .. method.GetParameters().Select(p => p.ParameterType), .. method.GetGenericArguments().SelectMany(Constraints)];

    private static IEnumerable<Type> Constraints(Type parameter) => parameter.IsGenericParameter ? parameter.GetGenericParameterConstraints() : [];

    private static IEnumerable<Type> Attributes(MemberInfo member) => member.CustomAttributes.Select(a => a.AttributeType);

    private static IEnumerable<Type?> Body(MethodBase method)
    {
        foreach (var parameter in method.GetParameters())
        {
            yield return parameter.ParameterType;
        }

        if (method.GetMethodBody() is not { } body)
        {
            yield break;
        }

        foreach (var local in body.LocalVariables)
        {
            yield return local.LocalType;
        }

        foreach (var member in Tokens(body.GetILAsByteArray()!).Select(t => Resolve(method, t)))
        {
            yield return member as Type ?? member?.DeclaringType;
            foreach (var argument in (member as MethodInfo)?.GetGenericArguments() ?? [])
            {
                yield return argument;
            }
        }
    }

    private static IEnumerable<int> Tokens(byte[] il)
    {
        for (var at = 0; at < il.Length;)
        {
            var code = OpCodes[il[at] == 0xFE ? (short)(0xFE00 | il[at + 1]) : il[at]];
            at += code.Size;
            if (code.OperandType is OperandType.InlineTok or OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType)
            {
                yield return BitConverter.ToInt32(il, at);
            }

            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
                _ => 4,
            };
        }
    }

    private static MemberInfo? Resolve(MethodBase method, int token)
        => method.Module.ResolveMember(
            token,
            method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null,
            method is { IsGenericMethod: true } ? method.GetGenericArguments() : null);

    /// <summary>The type itself, what it is an array or reference of, and its generic arguments.</summary>
    private static IEnumerable<Type> Parts(Type type)
    {
        while (type.HasElementType)
        {
            type = type.GetElementType()!;
        }

        return type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Prepend(type.GetGenericTypeDefinition()) : [type];
    }
}
