using System.Globalization;
using System.Linq.Expressions;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Fencing;

/// <summary>Turns <c>r =&gt; "report:" + r.Id</c> or <c>r =&gt; $"report:{r.Id}"</c> into the text of a <see cref="ResourceTemplate"/>.</summary>
internal sealed partial class ResourceSelector
{
    private readonly LambdaExpression _selector;
    private readonly StringBuilder _text = new();

    private ResourceSelector(LambdaExpression selector) => _selector = selector;

    /// <exception cref="FencingConfigurationException">The expression does more than put properties and text together.</exception>
    public static string ToTemplate(LambdaExpression selector, string entityType)
    {
        var reader = new ResourceSelector(selector);
        if (!reader.TryRead(selector.Body))
        {
            throw new FencingConfigurationException(
                entityType,
                $"FencedBy({selector}) on '{entityType}' does more than put text and properties together, so the library could not do the same in a query and in a trigger. "
                + "Write it as \"report:\" + r.Id or $\"report:{r.Id}\", with properties of the entity itself, without formats.");
        }

        return reader._text.ToString();
    }

    private bool TryRead(Expression expression)
    {
        switch (expression)
        {
            case UnaryExpression { NodeType: ExpressionType.Convert } convert:
                return TryRead(convert.Operand);

            case BinaryExpression { NodeType: ExpressionType.Add } sum when sum.Type == typeof(string):
                return TryRead(sum.Left) && TryRead(sum.Right);

            case MethodCallExpression { Method.Name: nameof(string.Concat), Object: null } concat when concat.Method.DeclaringType == typeof(string):
                return Arguments(concat.Arguments).All(TryRead);

            case MethodCallExpression { Method.Name: nameof(string.Format), Object: null, Arguments: [ConstantExpression { Value: string format }, ..] } call:
                return TryFormat(format, [.. Arguments(call.Arguments.Skip(1))]);

            case MethodCallExpression { Method.Name: nameof(ToString), Object: { } instance, Arguments.Count: 0 }:
                return TryRead(instance);

            case MethodCallExpression { Method.Name: nameof(EF.Property), Object: null, Arguments: [_, ConstantExpression { Value: string name }] } property
                when property.Method.DeclaringType == typeof(EF):
                _text.Append(ResourceTemplate.Placeholder(name));
                return true;

            case MemberExpression member when member.Expression == _selector.Parameters[0]:
                _text.Append(ResourceTemplate.Placeholder(member.Member.Name));
                return true;

            case ConstantExpression or MemberExpression when !UsesParameter.In(expression):
                var value = Expression.Lambda(expression).Compile().DynamicInvoke();
                _text.Append(ResourceTemplate.Literal(Convert.ToString(value, CultureInfo.InvariantCulture)!));
                return true;

            default:
                return false;
        }
    }

    private bool TryFormat(string format, Expression[] arguments)
    {
        var read = 0;
        foreach (Match match in Hole().Matches(format))
        {
            if (!TryAppend(format[read..match.Index]))
            {
                return false;
            }

            read = match.Index + match.Length;
            if (match.Groups["index"] is not { Success: true } index)
            {
                // {{ and }} mean the same in a template.
                _text.Append(match.Value);
            }
            else if (!TryRead(arguments[int.Parse(index.ValueSpan, CultureInfo.InvariantCulture)]))
            {
                return false;
            }
        }

        return TryAppend(format[read..]);
    }

    /// <summary>Text between holes; a brace in it belongs to a hole with a format or an alignment.</summary>
    private bool TryAppend(string literal)
    {
        _text.Append(literal);
        return literal.AsSpan().IndexOfAny('{', '}') < 0;
    }

    private static IEnumerable<Expression> Arguments(IEnumerable<Expression> arguments)
        => arguments.SelectMany(a => a is NewArrayExpression array ? (IEnumerable<Expression>)array.Expressions : [a]);

    [GeneratedRegex(@"\{\{|\}\}|\{(?<index>\d+)\}")]
    private static partial Regex Hole();

    private sealed class UsesParameter : ExpressionVisitor
    {
        private bool _found;

        public static bool In(Expression expression)
        {
            var visitor = new UsesParameter();
            visitor.Visit(expression);
            return visitor._found;
        }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            _found = true;
            return node;
        }
    }
}
