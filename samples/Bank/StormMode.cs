namespace Bank;

/// <summary>The three ways of saving.</summary>
public enum StormMode
{
    Naive,
    Versioned,
    Retried,
}
