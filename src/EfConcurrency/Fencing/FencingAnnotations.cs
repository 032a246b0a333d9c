namespace EfConcurrency.Fencing;

/// <summary>Names of the model annotations of this room. They are part of users' migration snapshots: never rename one.</summary>
internal static class FencingAnnotations
{
    /// <summary>On an entity type: the resource that fences its rows. Value: the text of a <see cref="ResourceTemplate"/>.</summary>
    public const string FencedBy = "EfConcurrency:FencedBy";

    /// <summary>On a property: it is the fencing token column. Value: true.</summary>
    public const string Token = "EfConcurrency:FencingToken";

    /// <summary>On an entity type: it is to have a trigger. Value: <see cref="PlainTrigger"/> or <see cref="StrictTrigger"/>.</summary>
    public const string Trigger = "EfConcurrency:FencingTrigger";

    /// <summary>A write may not lower the token.</summary>
    public const string PlainTrigger = "plain";

    /// <summary>A write must also present a token, and it must be the current one.</summary>
    public const string StrictTrigger = "strict";

    /// <summary>On an entity type: its table holds the current token of each resource. Value: true.</summary>
    public const string TokenTable = "EfConcurrency:TokenTable";

    /// <summary>On the model: asks migrations for the functions by which tokens are presented. Value: their schema, which is that of the token table, and its name.</summary>
    public const string Functions = "EfConcurrency:FencingFunctions";

    /// <summary>On the model: asks migrations for the function of the plain triggers. Value: its schema.</summary>
    public const string RejectFunction = "EfConcurrency:FencingRejectFunction";

    /// <summary>On a table, in migrations: what its triggers are made from.</summary>
    public const string TriggerDescription = "EfConcurrency:FencingTriggers";

    /// <summary>Runtime annotation on an entity type: its <see cref="Fencing.Fence"/>.</summary>
    public const string Fence = "EfConcurrency:Fence";
}
