namespace EfConcurrency.WriteEnvelope;

/// <summary>Who refuses a save of several statements when a check fails.</summary>
public enum ServerJudgedSaves
{
    /// <summary>
    /// The server, where the guard function is installed: one round trip, no BEGIN and COMMIT. Else the client, in a transaction.
    /// A refused save writes one ERROR line to the server's log. The default.
    /// </summary>
    WhenAvailable,

    /// <summary>The client, in a transaction: two round trips, nothing in the server's log.</summary>
    Never,
}
