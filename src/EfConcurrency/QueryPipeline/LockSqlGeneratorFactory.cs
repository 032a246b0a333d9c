#pragma warning disable EF1001 // EF has no seam for clauses of others: Npgsql's SQL generator is derived from.
using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Query.Internal;

namespace EfConcurrency.QueryPipeline;

/// <summary>Writes the clauses: each SELECT ends with those of its own tables.</summary>
internal sealed class LockSqlGeneratorFactory(QuerySqlGeneratorDependencies dependencies, IRelationalTypeMappingSource typeMappings, INpgsqlSingletonOptions options)
    : IQuerySqlGeneratorFactory
{
    public QuerySqlGenerator Create() => new Generator(dependencies, typeMappings, options);

    private sealed class Generator(QuerySqlGeneratorDependencies dependencies, IRelationalTypeMappingSource typeMappings, INpgsqlSingletonOptions options)
        : NpgsqlQuerySqlGenerator(dependencies, typeMappings, options.ReverseNullOrderingEnabled, options.PostgresVersion)
    {
        protected override void GenerateRootCommand(Expression queryExpression)
        {
            if (queryExpression is not SelectExpression select || LockShape.Of(select).Wait is not { MayFail: true } wait)
            {
                base.GenerateRootCommand(queryExpression);
                return;
            }

            Sql.AppendLine(LockClauseSql.Savepoint);
            if (wait.Kind == LockWaitKind.WaitLimited)
            {
                Sql.AppendLine(LockClauseSql.LimitWait(wait.Milliseconds));
            }

            base.GenerateRootCommand(queryExpression);
            Sql.AppendLine(";");
            if (wait.Kind == LockWaitKind.WaitLimited)
            {
                Sql.AppendLine(LockClauseSql.RestoreWait);
            }

            Sql.Append(LockClauseSql.Release);
        }

        protected override void GenerateLimitOffset(SelectExpression selectExpression)
        {
            base.GenerateLimitOffset(selectExpression);
            foreach (var table in selectExpression.Tables)
            {
                if (LockClause.Find(table) is { } clause)
                {
                    Sql.AppendLine().Append(LockClauseSql.Of(clause, Dependencies.SqlGenerationHelper.DelimitIdentifier(table.UnwrapJoin().Alias!)));
                }
            }
        }
    }
}
