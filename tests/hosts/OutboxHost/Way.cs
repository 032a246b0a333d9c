namespace OutboxHost;

/// <summary>How a dispatcher delivers.</summary>
public enum Way
{
    /// <summary>As the library does it.</summary>
    Sound,

    /// <summary>Planted: handlers run without the inbox.</summary>
    WithoutInbox,

    /// <summary>Planted: the log is read by id, as most outboxes do, not by snapshot.</summary>
    ById,
}
