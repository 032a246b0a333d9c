using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace EfConcurrency.QueryPipeline;

/// <summary>Translates the call of <see cref="BulkWrite.AddGuard"/> into a call of the database function.</summary>
internal sealed class GuardCall(ISqlExpressionFactory sql) : IMethodCallTranslatorPlugin, IMethodCallTranslator
{
    /// <summary>Stands in the tree in place of the function. Parameters: schema, function, argument.</summary>
    public static readonly MethodInfo Method = new Func<string, string, string, bool>(Invoke).Method;

    public IEnumerable<IMethodCallTranslator> Translators => [this];

    public SqlExpression? Translate(SqlExpression? instance, MethodInfo method, IReadOnlyList<SqlExpression> arguments, IDiagnosticsLogger<DbLoggerCategory.Query> logger)
        => method == Method && arguments is [SqlConstantExpression { Value: string schema }, SqlConstantExpression { Value: string function }, var argument]
            ? sql.Function(schema, function, [argument], nullable: false, argumentsPropagateNullability: [false], typeof(bool))
            : null;

    private static bool Invoke(string schema, string function, string argument)
        => throw new InvalidOperationException($"{schema}.{function}({argument}) is called by the database only.");
}
