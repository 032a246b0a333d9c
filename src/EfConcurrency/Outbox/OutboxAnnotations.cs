namespace EfConcurrency.Outbox;

/// <summary>Annotations of the model. Part of users' migration snapshots: never rename them.</summary>
internal static class OutboxAnnotations
{
    /// <summary>On <see cref="OutboxRecord"/>: the number of lanes.</summary>
    public const string Lanes = "EfConcurrency:OutboxLanes";
}
