using EfConcurrency.Resilience;

namespace EfConcurrency.Idempotency;

/// <summary>A claim that was won.</summary>
/// <param name="Fence">Its number.</param>
/// <param name="Ticket">Settles a lost reply to the commit of the transaction that it was made in.</param>
/// <param name="Attempts">1, unless it was taken over.</param>
/// <param name="RecoveryPoint">The step that was begun last.</param>
/// <param name="RecoveryData">The results of the steps that are done.</param>
internal sealed record IdempotencyClaim(long Fence, CommitTicket? Ticket, int Attempts = 1, string? RecoveryPoint = null, string? RecoveryData = null);
