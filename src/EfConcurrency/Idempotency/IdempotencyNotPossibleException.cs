using EfConcurrency.Resilience;

namespace EfConcurrency.Idempotency;

/// <summary>The call was made in a place, or its body did something, where the operation can't be made idempotent. Nothing of it was committed by the library.</summary>
public sealed class IdempotencyNotPossibleException : InvalidOperationException, IFinalRefusal
{
    internal IdempotencyNotPossibleException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
