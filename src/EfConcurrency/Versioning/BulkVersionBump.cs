using System.Linq.Expressions;
using EfConcurrency.QueryPipeline;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Versioning;

/// <summary>
/// Raises the version in every <c>ExecuteUpdate</c>, so that who has read the rows before notices. A UUID is fresh for each
/// execution, and the same for all rows of one.
/// </summary>
internal sealed class BulkVersionBump : IBulkWriteContributor
{
    public void Contribute(BulkWrite write)
    {
        if (!write.IsUpdate || VersionColumn.Find(write.EntityType) is not { IsWritten: true } version || write.HasMarker(nameof(BulkVersionExtensions.WithoutVersionBump)))
        {
            return;
        }

        var property = version.Property;
        var name = $"{write.EntityType.DisplayName()}.{property.Name}";
        if (write.Assigned.Contains(property))
        {
            throw new UnsupportedBulkUpdateException(
                $"This ExecuteUpdate sets '{name}'. The library alone writes a version, and raises it by itself: leave the property out.");
        }

        if (write.AssignedElsewhere(property) is { } elsewhere)
        {
            throw new UnsupportedBulkUpdateException(
                $"This ExecuteUpdate sets '{elsewhere.Name}', which is in another table than the version '{name}' (table-per-type mapping), and one UPDATE writes one table. "
                + "Use SaveChanges, or a query on the base type for its columns.");
        }

        if (version.Kind == VersionKind.Guid)
        {
            var fresh = write.RuntimeParameter("efc_version", _ => version.Next(null), property.ClrType);
            write.AddSetter(property, _ => fresh);
        }
        else if (property.ClrType == typeof(long) || property.ClrType == typeof(int))
        {
            write.AddSetter(property, entity => Expression.Add(BulkWrite.Property(entity, property), Expression.Constant(Convert.ChangeType(1, property.ClrType, provider: null))));
        }
        else
        {
            throw new UnsupportedBulkUpdateException(
                $"'{name}' is a '{property.ClrType.Name}' with a value converter, and EF can't add to such a value in SQL. "
                + "Use SaveChanges, make the property a long, or add WithoutVersionBump() and raise the column in SQL of your own.");
        }
    }
}
