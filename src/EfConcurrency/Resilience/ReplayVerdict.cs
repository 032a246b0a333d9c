namespace EfConcurrency.Resilience;

/// <summary>What a failure says about running the same unit of work again.</summary>
internal enum ReplayVerdict
{
    /// <summary>Don't: it would fail again, or it is not known to have left nothing behind.</summary>
    Never,

    /// <summary>Another writer was there first; nothing was written. Read again and decide anew.</summary>
    Conflict,

    /// <summary>The server rolled the transaction back to settle a race (serialization failure, deadlock).</summary>
    RolledBack,

    /// <summary>The connection went away. Nothing is left behind if it went before the commit was sent.</summary>
    ConnectionLost,
}
