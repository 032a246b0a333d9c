using EfConcurrency.AdvisoryLocks;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

public sealed class KeyTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    [Theory]
    [InlineData("invoice:42", "")]
    [InlineData("invoice:42", "shop")]
    [InlineData("Zürich ☂ 🚲", "größe")]
    [InlineData("it's", "a\\b")]
    public async Task SQL_makes_the_same_number_of_a_name(string name, string @namespace)
    {
        string Quoted(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
        var number = await database.ScalarAsync<long>(
            $"select ('x'||substr(encode(sha256(convert_to({Quoted(@namespace)}||U&'\\001F'||{Quoted(name)},'UTF8')),'hex'),1,16))::bit(64)::bigint");
        Assert.Equal(number, AdvisoryKey.Of(name, @namespace).Number);
    }
}
