namespace EfConcurrency.Tool.Database;

/// <summary>Statement of the clock.</summary>
internal static class ClockSql
{
    public const string Now = "/* efconcurrency clock.now */ SELECT clock_timestamp()";
}
