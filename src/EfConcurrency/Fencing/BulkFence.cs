using System.Linq.Expressions;
using EfConcurrency.QueryPipeline;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Fencing;

/// <summary>
/// Fences <c>ExecuteUpdate</c> and <c>ExecuteDelete</c>. The tokens are runtime parameters: EF compiles a statement once, and a token that was
/// written into it would be accepted for ever.
/// </summary>
internal sealed class BulkFence(ISqlGenerationHelper sql) : IBulkWriteContributor
{
    public void Contribute(BulkWrite write)
    {
        if (FencingModel.Of(write.EntityType.Model, sql).FunctionSchema is { } schema)
        {
            write.AddGuard(schema, FencingSql.PresentFunction, context => FencingScope.Of(context.Context).Presented());
        }

        if (Fence.Find(write.EntityType) is { } fence)
        {
            FenceRows(write, fence);
        }
    }

    private static void FenceRows(BulkWrite write, Fence fence)
    {
        var entityType = write.EntityType;
        var resource = fence.Resource;
        var token = write.RuntimeParameter("efc_fencing_token", context => FencingScope.Of(context.Context).Require(resource, entityType).Token, typeof(long));

        if (!resource.IsConstant)
        {
            // Only the rows of the resource whose token is in scope.
            var name = write.RuntimeParameter("efc_fenced_resource", context => FencingScope.Of(context.Context).Require(resource, entityType).Resource, typeof(string));
            write.AddCondition(entity => Expression.Equal(resource.ToExpression(p => BulkWrite.Property(entity, write.EntityType.FindProperty(p)!)), name));
        }

        if (fence.Token is not { } column)
        {
            // The condition is always true; asking for the token throws when there is none.
            write.AddCondition(_ => Expression.GreaterThan(token, Expression.Constant(0L)));
            return;
        }

        CheckSetters(write, column, $"{entityType.DisplayName()}.{column.Name}");
        write.AddCondition(entity => Expression.LessThanOrEqual(BulkWrite.Property(entity, column), token));
        if (write.IsUpdate)
        {
            write.AddSetter(column, _ => token);
        }
    }

    private static void CheckSetters(BulkWrite write, IProperty column, string name)
    {
        if (write.Assigned.Contains(column))
        {
            throw new UnsupportedBulkUpdateException(
                $"This ExecuteUpdate sets '{name}'. The library writes the fencing token that is in scope by itself: leave the property out.");
        }

        if (write.AssignedElsewhere(column) is { } elsewhere)
        {
            throw new UnsupportedBulkUpdateException(
                $"This ExecuteUpdate sets '{elsewhere.Name}', which is in another table than the fencing token '{name}' (table-per-type mapping), and one UPDATE writes one table. "
                + "Use SaveChanges, or a query on the base type for its columns.");
        }
    }
}
