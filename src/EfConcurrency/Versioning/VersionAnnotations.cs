namespace EfConcurrency.Versioning;

/// <summary>Names of the model annotations of this room. They are part of users' migration snapshots: never rename one.</summary>
internal static class VersionAnnotations
{
    /// <summary>On a property: it is the version column. Value: true.</summary>
    public const string Version = "EfConcurrency:Version";

    /// <summary>On a foreign key: a change of the dependent raises the version of the principal. Value: true.</summary>
    public const string BumpsRoot = "EfConcurrency:BumpsRoot";

    /// <summary>Runtime annotation on an entity type: its <see cref="VersionColumn"/>.</summary>
    public const string Column = "EfConcurrency:VersionColumn";

    /// <summary>Runtime annotation on an entity type: its foreign keys that lead to owners and roots.</summary>
    public const string ToRoots = "EfConcurrency:ToRoots";

    /// <summary>Runtime annotation on an entity type: foreign keys of entities that share its row and are not owned.</summary>
    public const string InSameRow = "EfConcurrency:InSameRow";
}
