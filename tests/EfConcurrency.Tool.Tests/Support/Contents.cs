namespace EfConcurrency.Tool.Tests.Support;

/// <summary>Everything that is in the library's tables, to tell whether something was changed.</summary>
internal static class Contents
{
    public static Task<string> ReadAsync(ToolDatabase database) => database.ScalarAsync<string>("""
        select coalesce(string_agg(c.relname || ': ' || query_to_xml(format('select t::text as row from efc.%I t order by 1', c.relname), true, false, '')::text, E'\n' order by c.relname), '')
        from pg_class c where c.relnamespace = 'efc'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        """);

    /// <summary>Runs the tool, which must change nothing.</summary>
    public static async Task<EfcResult> UnchangedAsync(ToolDatabase database, params string[] arguments)
    {
        var before = await ReadAsync(database);
        var result = await Efc.RunAsync(database.ConnectionString, arguments);
        Assert.Equal(before, await ReadAsync(database));
        return result;
    }
}
