namespace EfConcurrency.Tool.Top;

/// <summary>What the live view asks beyond the status.</summary>
internal static class TopSql
{
    /// <summary>Held leases by the time that is left. Those of living holders are renewed when a third of it is gone: a small number alone is no alarm.</summary>
    public static string Expiring(string lease) => $"""
        /* efconcurrency top.expiring-leases */
        select name, fencing_token, holder_info, extract(epoch from expires_at - clock_timestamp())::float8
        from {lease} where holder is not null and isfinite(expires_at) and expires_at > clock_timestamp() order by expires_at limit 10
        """;
}
