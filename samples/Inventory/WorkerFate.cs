namespace Inventory;

/// <summary>What happens to a worker in the middle of a sale.</summary>
internal enum WorkerFate
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It is paused when it has picked items.</summary>
    Freeze,

    /// <summary>It is killed when it has written an invoice and not yet committed it.</summary>
    Kill,
}
