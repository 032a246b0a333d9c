namespace Inventory;

/// <summary>One piece in stock; each is sold at most once.</summary>
public sealed class StockItem
{
    public int Id { get; set; }

    public bool IsReserved { get; set; }
}

/// <summary>
/// Who was promised the item. No unique constraint on it, nor on the invoice's number: a shop has them, but here they would refuse what the naive
/// way does before it could be counted.
/// </summary>
public sealed class Reservation
{
    public int Id { get; set; }

    public int ItemId { get; set; }

    public int InvoiceId { get; set; }
}

/// <summary>Numbered without gaps, as tax law wants it: a sequence leaves one wherever a transaction is rolled back.</summary>
public sealed class Invoice
{
    public int Id { get; set; }

    public int Number { get; set; }

    public string WrittenBy { get; set; } = "";

    public List<Reservation> Reservations { get; } = [];
}
