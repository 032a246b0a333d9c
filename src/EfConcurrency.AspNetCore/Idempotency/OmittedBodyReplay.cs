namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>What a repetition gets whose first response was too large to be kept.</summary>
public enum OmittedBodyReplay
{
    /// <summary>303 to the <c>Location</c> of the first response; where that had none, as <see cref="Fail"/>. The default.</summary>
    SeeLocation,

    /// <summary>409: the operation was done, and what it led to must be read elsewhere.</summary>
    Fail,
}
