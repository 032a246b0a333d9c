namespace EfConcurrency.Inbox;

/// <summary>Where the inbox is kept, and how long.</summary>
public sealed class InboxTableOptions
{
    /// <summary>The table's schema, unquoted; null: the model's default schema.</summary>
    /// <value><c>efc</c></value>
    public string? Schema { get; set; } = "efc";

    /// <summary>The table's name, unquoted.</summary>
    /// <value><c>inbox</c></value>
    public string Table { get; set; } = "inbox";

    /// <summary>Days for which a duplicate is recognised, 1 to 30. A message that is older is refused. Fixed when the table is created.</summary>
    /// <value>7</value>
    public int WindowDays { get; set; } = 7;
}
