namespace Bank;

/// <summary>A row of <c>pgbench_accounts</c>.</summary>
public sealed class Account
{
    public int Id { get; set; }

    public int Balance { get; set; }

    public long Version { get; private set; }
}

/// <summary>A row of <c>pgbench_tellers</c>.</summary>
public sealed class Teller
{
    public int Id { get; set; }

    public int Balance { get; set; }

    public long Version { get; private set; }
}

/// <summary>A row of <c>pgbench_branches</c>: with one branch, every transfer writes it.</summary>
public sealed class Branch
{
    public int Id { get; set; }

    public int Balance { get; set; }

    public long Version { get; private set; }
}

/// <summary>A row of <c>pgbench_history</c>: what was booked. Inserted only, so it can't be lost.</summary>
public sealed class Booking
{
    public long Id { get; set; }

    public int AccountId { get; set; }

    public int TellerId { get; set; }

    public int BranchId { get; set; }

    public int Delta { get; set; }
}
