namespace EfConcurrency.Versioning;

/// <summary>What <c>SaveChangesMergingAsync</c> does with a row that another writer changed meanwhile.</summary>
public enum MergePolicy
{
    /// <summary>The conflict is thrown. The default for every entity type.</summary>
    Fail,

    /// <summary>What this context changed is written; what it did not change is taken from the row.</summary>
    ClientWins,

    /// <summary>What this context changed is given up: the entity gets the values of the row.</summary>
    StoreWins,

    /// <summary>
    /// Property by property: who alone changed it wins; where both changed it, differently, the property's resolver decides, and without
    /// one the conflict is thrown.
    /// </summary>
    ThreeWay,
}
