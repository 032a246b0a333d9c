namespace EfConcurrency.Resilience;

/// <summary>Marks exceptions that no retry may follow, whatever they derive from.</summary>
internal interface IFinalRefusal;
