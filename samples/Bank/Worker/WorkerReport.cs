namespace Bank.Worker;

/// <summary>What a worker has done so far; one line of JSON on its standard output.</summary>
/// <param name="Done">Transfers that were saved.</param>
/// <param name="Conflicts">Saves that were refused because another writer was first.</param>
/// <param name="GivenUp">Transfers that were given up after a conflict.</param>
/// <param name="Failed">Transfers that ended in any other error.</param>
/// <param name="Latencies">Latencies of the saved transfers, as in <see cref="LatencyHistogram"/>.</param>
public sealed record WorkerReport(int Done, int Conflicts, int GivenUp, int Failed, int[] Latencies)
{
    /// <summary>Conflicts after which the transfer was tried again.</summary>
    public int Retries => Conflicts - GivenUp;
}
