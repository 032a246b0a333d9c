using System.Diagnostics.CodeAnalysis;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>What became of a call, and the result of the work if it ran: never a default value that could be taken for one.</summary>
/// <typeparam name="TResult">What the work returns.</typeparam>
public sealed class AdvisoryLockOutcome<TResult>
{
    private readonly TResult? _value;

    private AdvisoryLockOutcome(AdvisoryLockStatus status, TResult? value, Exception? waitEndedBy)
    {
        Status = status;
        _value = value;
        WaitEndedBy = waitEndedBy;
    }

    /// <summary>Whether the work ran, and why not.</summary>
    public AdvisoryLockStatus Status { get; }

    /// <summary>Whether the work ran.</summary>
    public bool Ran => Status == AdvisoryLockStatus.Ran;

    /// <summary>What the work returned.</summary>
    /// <exception cref="InvalidOperationException">The work did not run. Ask <see cref="Ran"/> first, or use <see cref="TryGetValue"/>.</exception>
    public TResult Value
        => Ran ? _value! : throw new InvalidOperationException($"The work did not run ({Status}), so there is no result. Ask Ran first, or use TryGetValue.");

    /// <summary>The server's error that ended the wait, if it was one.</summary>
    internal Exception? WaitEndedBy { get; }

    /// <summary>Gets what the work returned, if it ran.</summary>
    /// <param name="value">The result.</param>
    /// <returns>Whether the work ran.</returns>
    public bool TryGetValue([MaybeNullWhen(false)] out TResult value)
    {
        value = _value;
        return Ran;
    }

    internal static AdvisoryLockOutcome<TResult> Of(TResult value) => new(AdvisoryLockStatus.Ran, value, waitEndedBy: null);

    internal static AdvisoryLockOutcome<TResult> Busy(Exception? waitEndedBy) => new(AdvisoryLockStatus.Busy, default, waitEndedBy);

    internal static AdvisoryLockOutcome<TResult> ConditionNotMet() => new(AdvisoryLockStatus.ConditionNotMet, default, waitEndedBy: null);
}
