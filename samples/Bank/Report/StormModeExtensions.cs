namespace Bank.Report;

internal static class StormModeExtensions
{
    public static string Label(this StormMode mode) => mode switch
    {
        StormMode.Naive => "naive",
        StormMode.Versioned => "versioned, no retry",
        _ => "versioned, retry",
    };
}
