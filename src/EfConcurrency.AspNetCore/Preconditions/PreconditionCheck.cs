using EfConcurrency.Versioning;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Npgsql;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary>What the filters of minimal APIs and MVC decide alike.</summary>
internal static class PreconditionCheck
{
    /// <summary>Whether the request carries the precondition that the endpoint demands.</summary>
    /// <exception cref="MalformedHeaderException">The header is malformed.</exception>
    public static bool IsGiven(HttpContext context, bool allowCreate)
        => IfMatch.Of(context).IsPresent || (allowCreate && IfNoneMatch.Of(context).IsAny);

    /// <summary>A handler that took the precondition, changed something and never compared would lose updates in silence.</summary>
    /// <exception cref="InvalidOperationException">Nothing was compared.</exception>
    public static void ThrowIfIgnored(HttpContext context, int status)
    {
        if (status is >= 200 and < 300 && IfMatch.Of(context) is { IsPresent: true, IsChecked: false })
        {
            throw new InvalidOperationException(
                $"'{context.GetEndpoint()?.DisplayName}' has RequireIfMatch() and succeeded, but never compared If-Match with anything. "
                + "Take an IfMatch parameter, and call db.Expect(entity, ifMatch) before the save or ifMatch.Matches(version).");
        }
    }

    /// <summary>The failed precondition behind an exception, or null: an early comparison, the save's version check, or a lost race to create.</summary>
    public static PreconditionFailedException? Find(HttpContext context, Exception exception) => exception switch
    {
        PreconditionFailedException failed => failed,
        VersionConflictException conflict when conflict.Conflicts.FirstOrDefault(c => c.IsPrecondition) is { } row
            => new(row.Actual is { } actual ? TagOf(conflict, row, actual) : null, conflict),
        DbUpdateException { InnerException: PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } error } update
            when IsCreateOnly(context) && update.Entries.Any(e => PrimaryKeyNames(e.Metadata).Contains(error.ConstraintName)) => new(current: null, update),
        _ => null,
    };

    /// <summary>Sets the tag of a response. Returns whether the client has that version already, so that 304 says it all.</summary>
    public static bool IsNotModified(HttpContext context, EntityTagHeaderValue tag)
    {
        context.Response.Headers.ETag = tag.ToString();
        return (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)) && IfNoneMatch.Of(context).Has(tag);
    }

    private static bool IsCreateOnly(HttpContext context) => StringValues.Equals(context.Request.Headers[HeaderNames.IfNoneMatch], "*");

    private static EntityTagHeaderValue TagOf(VersionConflictException conflict, VersionConflict row, object actual)
        => conflict.Entries.Select(e => e.Metadata).FirstOrDefault(t => t.DisplayName() == row.EntityType)?.FindVersionProperty() is { } property
            ? VersionTag.Of(property, actual)
            : VersionTag.Of(actual);

    private static IEnumerable<string?> PrimaryKeyNames(Microsoft.EntityFrameworkCore.Metadata.IEntityType type)
        => type.GetTableMappings().Select(m => m.Table.PrimaryKey?.Name);
}
