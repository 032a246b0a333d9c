using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace EfConcurrency.QueryPipeline;

/// <summary>
/// Lock operators in <c>ExecuteUpdate</c> and <c>ExecuteDelete</c>: in a subquery that chooses rows (<c>Take(10).ForUpdate(SkipLocked)</c>)
/// they do what they say; on the written table itself EF would leave them out without a word.
/// </summary>
internal static class BulkWriteLocks
{
    public static void Check(Expression write)
    {
        var select = write is UpdateExpression update ? update.SelectExpression : ((DeleteExpression)write).SelectExpression;
        if (select.Tables.Any(t => LockClause.Find(t) is not null))
        {
            throw new UnsupportedRowLockException(
                "A lock operator stands directly before ExecuteUpdate or ExecuteDelete, which lock the rows they write by themselves. Leave it out, or choose the rows with Take(…) before it.");
        }

        if (LockShape.Of(select).Wait is { MayFail: true })
        {
            throw new UnsupportedRowLockException(
                "Within ExecuteUpdate or ExecuteDelete a lock operator can wait or skip locked rows, but not fail. Use RowLockWait.SkipLocked or none, or lock with a query before it.");
        }
    }
}
