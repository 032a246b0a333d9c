using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EfConcurrency.Migrations;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Fencing;

/// <summary>The triggers of <c>HasFencingTrigger()</c>, for the table that holds the token (with table-per-type, the base table).</summary>
internal sealed class FencingTrigger : ITableObject
{
    /// <summary>PostgreSQL cuts longer names. https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS</summary>
    private const int MaxIdentifierLength = 63;

    public string Annotation => FencingAnnotations.TriggerDescription;

    public string? Describe(ITable table)
    {
        foreach (var type in table.EntityTypeMappings.Select(m => m.TypeBase).OfType<IEntityType>())
        {
            if (Mode(type) is not { } mode || Fence.FindTemplate(type) is not { } template)
            {
                continue;
            }

            var token = type.GetProperties().FirstOrDefault(Fence.IsToken);
            var column = token is null ? null : Column(table, token);
            if (token is not null && column is null)
            {
                continue;
            }

            var columns = ResourceTemplate.Parse(template).Properties.ToDictionary(p => p, p => Column(table, type.FindProperty(p)!)!);
            return JsonSerializer.Serialize(new Description(
                mode == FencingAnnotations.StrictTrigger, Schema(table.Model.Model), TokenTable.FindEntityType(table.Model.Model)?.GetSchema(), template, column, columns, Function(table)));
        }

        return null;
    }

    public bool UsesColumn(IColumn column) => column.PropertyMappings.Any(m => Fence.IsToken(m.Property));

    public string Create(string description, string table, ISqlGenerationHelper sql)
    {
        var trigger = Parse(description);
        var schema = sql.DelimitIdentifier(trigger.Schema);
        var token = trigger.Column is null ? null : sql.DelimitIdentifier(trigger.Column);
        var resource = ResourceTemplate.Parse(trigger.Resource);

        var create = token is null ? "" : FencingTriggerSql.CreatePlain(table, schema, token, Literal(resource.Text), Literal(trigger.Column!));
        return trigger.IsStrict
            ? create + FencingTriggerSql.CreateStrict(table, sql.DelimitIdentifier(trigger.TokenSchema!), sql.DelimitIdentifier(trigger.Function), resource.ToSql(p => $"w.{sql.DelimitIdentifier(trigger.Columns[p])}"), token)
            : create;
    }

    public string Drop(string description, string table, ISqlGenerationHelper sql) => FencingTriggerSql.Drop(table);

    public string? DropRest(string description, ISqlGenerationHelper sql)
    {
        var trigger = Parse(description);
        if (!trigger.IsStrict)
        {
            return null;
        }

        var schema = sql.DelimitIdentifier(trigger.TokenSchema!);
        return FencingTriggerSql.DropStrictFunction(schema, sql.DelimitIdentifier(trigger.Function)) + MigrationsSql.DropSchemaIfEmpty(schema);
    }

    /// <summary>By the table's own mappings: a property's are not there yet when EF asks for annotations.</summary>
    private static string? Column(ITable table, IProperty property)
        => table.Columns.FirstOrDefault(c => c.PropertyMappings.Any(m => m.Property == property))?.Name;

    private static string? Mode(IReadOnlyEntityType type)
        => type.GetAllBaseTypes().Append(type).Select(t => t.FindAnnotation(FencingAnnotations.Trigger)?.Value as string).FirstOrDefault(m => m is not null);

    /// <summary>The schema of the function that plain triggers call.</summary>
    private static string Schema(IReadOnlyModel model) => (string)model.FindAnnotation(FencingAnnotations.RejectFunction)!.Value!;

    /// <summary>A function for each table: only there are its columns known.</summary>
    private static string Function(ITable table)
    {
        var name = $"require_fencing_token_{(table.Schema is null ? "" : $"{table.Schema}_")}{table.Name}";
        return name.Length <= MaxIdentifierLength ? name : $"{name[..(MaxIdentifierLength - 9)]}_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..8]}";
    }

    private static Description Parse(string description) => JsonSerializer.Deserialize<Description>(description)!;

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private sealed record Description(bool IsStrict, string Schema, string? TokenSchema, string Resource, string? Column, Dictionary<string, string> Columns, string Function);
}
