namespace EfConcurrency.Inbox;

/// <summary>What became of a delivered message.</summary>
public enum InboxOutcome
{
    /// <summary>The handler's changes and the inbox row are committed.</summary>
    Handled,

    /// <summary>It was handled before: nothing was done. Acknowledge it.</summary>
    Duplicate,

    /// <summary>The handler failed, nothing was changed; it may succeed later.</summary>
    Failed,

    /// <summary>It will never succeed: no contract or handler of that name, a payload that can't be read, an id outside of the window.</summary>
    Rejected,
}
