using EfConcurrency.Tool.Tests.Support;

namespace EfConcurrency.Tool.Tests.Run;

public sealed class RunUsageTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    [Theory]
    [InlineData("run -- echo ran")]
    [InlineData("run --lock a")]
    [InlineData("run --lock a --slot b --every 1h -- echo ran")]
    [InlineData("run --slot b -- echo ran")]
    [InlineData("run --lock a --every 1h -- echo ran")]
    [InlineData("run --lock a echo ran")]
    [InlineData("run --lock a --ttl 30 -- echo ran")]
    [InlineData("run --lock a --ttl 100ms -- echo ran")]
    [InlineData("run --lock a --ttl 8d -- echo ran")]
    [InlineData("run --lock a --wait soon -- echo ran")]
    [InlineData("run --lock a --conflict-exit-code 300 -- echo ran")]
    [InlineData("run --lock a --conflict-exit-code many -- echo ran")]
    public async Task A_call_that_makes_no_sense_runs_nothing(string call)
    {
        var result = (await Efc.RunAsync(database.ConnectionString, call.Split(' '))).Expect(2);
        result.OneError();
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task Names_that_are_none_run_nothing()
    {
        (await Efc.RunAsync(database.ConnectionString, "run", "--lock", new string('x', 201), "--", "echo", "ran")).Expect(2).OneError();
        (await Efc.RunAsync(database.ConnectionString, "run", "--slot", " ", "--every", "1h", "--", "echo", "ran")).Expect(2).OneError();
    }

    [Fact]
    public async Task What_is_after_the_dashes_is_the_commands()
        => Assert.Equal("@none --lock b -o json\n", (await Efc.RunAsync(database.ConnectionString, "run", "--lock", "a", "--", "echo", "@none", "--lock", "b", "-o", "json")).Expect(0).Output);

    [Fact]
    public async Task Without_a_database_or_its_table_nothing_is_run()
    {
        Assert.Empty((await Efc.RunAsync("Host=127.0.0.1;Port=1;Username=nobody", "run", "--lock", "a", "--", "echo", "ran")).Expect(3).Output);
        await using var empty = await database.CreateEmptyAsync();
        Assert.Empty((await Efc.RunAsync(empty.ConnectionString, "run", "--lock", "a", "--", "echo", "ran")).Expect(7).Output);
        Assert.Empty((await Efc.RunAsync(empty.ConnectionString, "run", "--slot", "a", "--every", "1h", "--", "echo", "ran")).Expect(7).Output);
    }
}
