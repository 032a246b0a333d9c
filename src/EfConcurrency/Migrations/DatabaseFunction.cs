using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Migrations;

/// <summary>A function that migrations create when the model asks for it and drop when it no longer does.</summary>
/// <param name="Annotation">Annotation of the model that asks for it. Its value is the schema, or a list of names that starts with the schema, parted by U+001F.</param>
/// <param name="Version">Raised whenever the body changes, so that the next migration creates it anew.</param>
/// <param name="Create">SQL that creates or replaces it, given the quoted names.</param>
/// <param name="Drop">SQL that drops it, given the quoted schema.</param>
internal sealed record DatabaseFunction(string Annotation, int Version, Func<string[], string> Create, Func<string, string> Drop)
{
    private const char Separator = '\u001f';

    /// <summary>The value of the annotation.</summary>
    public static string Names(params string[] names) => string.Join(Separator, names);

    /// <summary>The names in a value of the annotation, quoted.</summary>
    public static string[] Quoted(string value, ISqlGenerationHelper sql) => [.. value.Split(Separator).Select(sql.DelimitIdentifier)];
}
