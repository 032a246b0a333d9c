namespace EfConcurrency.Tool.Database;

/// <summary>Quotes names for SQL. https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS</summary>
internal static class SqlName
{
    public static string Of(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public static string Of(string schema, string name) => $"{Of(schema)}.{Of(name)}";
}
