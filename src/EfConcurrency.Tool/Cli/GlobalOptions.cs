using System.CommandLine;

namespace EfConcurrency.Tool.Cli;

/// <summary>The options that every verb takes. None has a default value from the environment: System.CommandLine would print it in --help.</summary>
internal static class GlobalOptions
{
    public static readonly Option<string?> Connection = new("--connection", "-c")
    {
        Description = "Connection string of the database. Without it: environment variable EFC_CONNECTION, else PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD.",
        Recursive = true,
    };

    public static readonly Option<string> Schema = new("--schema")
    {
        Description = "Schema of the library's tables.",
        DefaultValueFactory = _ => "efc",
        Recursive = true,
    };

    public static readonly Option<string> Output = new Option<string>("--output", "-o")
    {
        Description = "table or json.",
        DefaultValueFactory = _ => "table",
        Recursive = true,
    }.AcceptOnlyFromAmong("table", "json");

    public static readonly Option<bool> NoColor = new("--no-color")
    {
        Description = "Plain text on a terminal too. Environment variable NO_COLOR does the same; what is piped is always plain.",
        Recursive = true,
    };
}
