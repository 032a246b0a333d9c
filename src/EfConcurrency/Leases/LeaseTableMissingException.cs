namespace EfConcurrency.Leases;

/// <summary>The model, or the database, has no lease table.</summary>
public sealed class LeaseTableMissingException : InvalidOperationException
{
    internal LeaseTableMissingException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    internal static LeaseTableMissingException InModel(string context)
        => new($"The model of '{context}' has no lease table. Call modelBuilder.HasLeases() in OnModelCreating, and add a migration (dotnet ef migrations add Leases).");

    internal static LeaseTableMissingException InDatabase(string table, Exception inner)
        => new($"The database has no table {table}. Add a migration for modelBuilder.HasLeases() (dotnet ef migrations add Leases) and apply it (dotnet ef database update).", inner);
}
