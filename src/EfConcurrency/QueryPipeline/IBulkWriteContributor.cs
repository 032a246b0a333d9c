namespace EfConcurrency.QueryPipeline;

/// <summary>
/// A pattern's part in <c>ExecuteUpdate</c> and <c>ExecuteDelete</c>. Called once per query that is compiled, not once per execution:
/// a value that differs between executions must be a runtime parameter.
/// </summary>
internal interface IBulkWriteContributor
{
    /// <summary>Adds setters and conditions to <paramref name="write"/>.</summary>
    void Contribute(BulkWrite write);
}
