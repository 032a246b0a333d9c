namespace NightlyReport;

/// <summary>What is needed of a part.</summary>
public sealed class Demand
{
    public int Id { get; set; }

    public string Part { get; set; } = "";

    public int Quantity { get; set; }
}

/// <summary>What the nightly run orders.</summary>
public sealed class PurchaseOrder
{
    public int Id { get; set; }

    public string Part { get; set; } = "";

    public int Quantity { get; set; }

    public string OrderedBy { get; set; } = "";
}

/// <summary>The report in the morning: one row, rewritten by each run.</summary>
public sealed class Report
{
    public int Id { get; set; }

    public int Orders { get; set; }

    public string WrittenBy { get; set; } = "";

    public long FencingToken { get; private set; }
}
