namespace EfConcurrency.Inbox;

/// <summary>What became of a delivered message, and why.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Error">Why it failed or was rejected; otherwise null.</param>
public readonly record struct InboxResult(InboxOutcome Outcome, Exception? Error = null);
