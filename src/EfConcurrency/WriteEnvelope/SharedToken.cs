using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.WriteEnvelope;

/// <summary>Concurrency tokens that EF adds to entities which share a row with one that has a token.</summary>
internal static class SharedToken
{
    /// <summary>Each shadow token, and the token of ours whose column it is mapped to.</summary>
    /// <param name="model">The model, after EF's conventions.</param>
    /// <param name="isToken">Whether a property is a token of the kind that is asked for.</param>
    public static IReadOnlyList<(IConventionProperty Shadow, IConventionProperty Token)> Find(IConventionModel model, Func<IConventionProperty, bool> isToken)
    {
        var tokens = model.GetEntityTypes()
            .SelectMany(t => t.GetDeclaredProperties().Where(isToken).Select(p => (Table: t.GetSchemaQualifiedTableName(), Column: p.GetColumnName(), Property: p)))
            .ToList();
        return
        [
            .. from type in model.GetEntityTypes()
               where !type.GetProperties().Any(isToken)
               let table = type.GetSchemaQualifiedTableName()
               from shadow in type.GetDeclaredProperties()
               where shadow.IsShadowProperty() && shadow.IsConcurrencyToken
               let token = tokens.Find(t => t.Table == table && t.Column == shadow.GetColumnName()).Property
               where token is not null
               select (shadow, token),
        ];
    }
}
