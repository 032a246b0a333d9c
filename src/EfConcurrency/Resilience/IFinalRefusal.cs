namespace EfConcurrency.Resilience;

/// <summary>Marks exceptions that no retry may follow, whatever they derive from.</summary>
internal interface IFinalRefusal
{
    /// <summary>False for one that a retry may follow after all.</summary>
    bool IsFinal => true;
}
