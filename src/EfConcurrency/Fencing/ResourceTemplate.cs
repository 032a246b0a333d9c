using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Linq.Expressions;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.Fencing;

/// <summary>
/// The name of the resource that fences a row, as text with properties in braces: <c>mrp</c>, <c>report:{Id}</c>. As text it can stand in
/// a migration and a compiled model; it is computed alike from an entity, in a query and in a trigger.
/// </summary>
internal sealed partial class ResourceTemplate
{
    /// <summary>Types whose text is the same in .NET and in PostgreSQL.</summary>
    private static readonly Type[] Supported = [typeof(string), typeof(short), typeof(int), typeof(long), typeof(Guid)];

    private static readonly System.Reflection.MethodInfo Concat = new Func<string?, string?, string>(string.Concat).Method;

    private readonly List<(string? Literal, string? Property)> _parts = [];

    private ResourceTemplate(string text)
    {
        Text = text;
        foreach (Match match in Part().Matches(text))
        {
            _parts.Add(match.Groups["property"] is { Success: true } property ? (null, property.Value) : (Unescape(match.Value), null));
        }

        Constant = _parts.TrueForAll(p => p.Property is null) ? string.Concat(_parts.Select(p => p.Literal)) : null;
    }

    public string Text { get; }

    /// <summary>Whether all rows of the type have the same resource.</summary>
    [MemberNotNullWhen(true, nameof(Constant))]
    public bool IsConstant => Constant is not null;

    /// <summary>The resource of all rows, or null when each row has its own.</summary>
    public string? Constant { get; }

    public IEnumerable<string> Properties => _parts.Select(p => p.Property).OfType<string>();

    public static ResourceTemplate Parse(string text) => new(text);

    /// <summary>Text of a template that is the same for all rows.</summary>
    public static string Literal(string resource) => resource.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);

    /// <summary>Text of the placeholder for a property.</summary>
    public static string Placeholder(string property) => $"{{{property}}}";

    public static bool Supports(Type type) => Supported.Contains(type);

    /// <summary>The resource of the row of <paramref name="entry"/>.</summary>
    public string ResourceOf(IUpdateEntry entry)
    {
        if (IsConstant)
        {
            return Constant;
        }

        var resource = new StringBuilder();
        foreach (var (literal, property) in _parts)
        {
            resource.Append(literal ?? Convert.ToString(entry.GetCurrentValue(entry.EntityType.FindProperty(property!)!), CultureInfo.InvariantCulture));
        }

        return resource.ToString();
    }

    /// <summary>Whether some row could have this resource.</summary>
    public bool Matches(string resource)
        => Regex.IsMatch(
            resource,
            $"^{string.Concat(_parts.Select(p => p.Literal is { } literal ? Regex.Escape(literal) : ".*"))}$",
            RegexOptions.Singleline | RegexOptions.CultureInvariant);

    /// <summary>The resource in a query.</summary>
    /// <param name="property">From a property's name to its expression.</param>
    public Expression ToExpression(Func<string, Expression> property)
        => _parts
            .Select(p => p.Literal is { } literal ? Expression.Constant(literal) : AsText(property(p.Property!)))
            .Aggregate((left, right) => Expression.Add(left, right, Concat));

    /// <summary>The resource in SQL.</summary>
    /// <param name="column">From a property's name to its quoted column.</param>
    public string ToSql(Func<string, string> column)
        => string.Join(" || ", _parts.Select(p => p.Literal is { } literal ? $"'{literal.Replace("'", "''", StringComparison.Ordinal)}'" : $"{column(p.Property!)}::text"));

    private static Expression AsText(Expression property)
        => property.Type == typeof(string) ? property : Expression.Call(property, property.Type.GetMethod(nameof(ToString), Type.EmptyTypes)!);

    private static string Unescape(string literal) => literal.Replace("{{", "{", StringComparison.Ordinal).Replace("}}", "}", StringComparison.Ordinal);

    [GeneratedRegex(@"\{(?<property>[^{}]+)\}|(?:[^{}]|\{\{|\}\})+")]
    private static partial Regex Part();
}
