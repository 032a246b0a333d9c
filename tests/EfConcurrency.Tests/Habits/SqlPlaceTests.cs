namespace EfConcurrency.Tests.Habits;

/// <summary>SQL stands in the room's <c>XSql.cs</c> and nowhere else, and each statement says whose it is.</summary>
public sealed class SqlPlaceTests
{
    /// <summary>What is sent without a name of its own: it goes around a statement of EF, whose text (tag included) follows.</summary>
    private static readonly (string File, string Start)[] Unnamed =
    [
        ("WriteEnvelopeSql.cs", "with judged as ("),
    ];

    [Fact]
    public void SQL_stands_in_Sql_files_only()
        => Habit.Holds("SQL of a room stands in its XSql.cs.", SourceTree.CSharp("src/EfConcurrency").SelectMany(Misplaced));

    [Fact]
    public void Statements_start_with_the_name_of_their_room()
        => Habit.Holds(
            "A statement that is sent at runtime starts with /* efconcurrency room.name */ (a server's log and pg_stat_statements tell then who sent it).",
            SourceTree.CSharp("src/EfConcurrency").SelectMany(Nameless));

    [Fact]
    public void The_exceptions_are_still_needed()
        => Habit.Holds(
            "What SqlPlaceTests excuses is in fact there.",
            from exception in Unnamed
            where !SourceTree.CSharp("src/EfConcurrency").Any(f => f.Name == exception.File && CSharpText.Of(f.Text).Literals.Any(l => IsExcused(f, l)))
            select $"{exception.File}: {exception.Start}");

    [Theory]
    [InlineData("select 1 from t")]
    [InlineData("SELECT 1")]
    [InlineData("select pg_advisory_xact_lock({})")]
    [InlineData("  \n  update {} set {} = {}")]
    [InlineData("Update accounts Set balance = @p0")]
    [InlineData("insert into t values (1)")]
    [InlineData("delete from {} where x = 1")]
    [InlineData("create or replace function f() returns void")]
    [InlineData("create unique index i on t (x)")]
    [InlineData("drop table if exists t")]
    [InlineData("with judged as ({}) select 1")]
    [InlineData("with recursive x (a, b) as (values (1, 2)) select * from x")]
    [InlineData("for update")]
    [InlineData(" FOR NO KEY UPDATE OF {} SKIP LOCKED")]
    [InlineData("set local lock_timeout = '1s'")]
    [InlineData("/* efconcurrency versioning.verify */ {}")]
    public void SQL_is_recognised(string literal) => Assert.True(SqlText.IsSql(literal));

    [Theory]
    [InlineData("Update the row, then set the version, or select another.")]
    [InlineData("Select the entity from the context that tracks it.")]
    [InlineData("Create a table for it with a migration.")]
    [InlineData("Create table '{}' with a migration.")]
    [InlineData("With a transaction a unit saves as (often) as it likes.")]
    [InlineData("Delete from the collection what is no longer there.")]
    [InlineData("for update an open transaction is needed")]
    [InlineData("selected")]
    [InlineData("update")]
    [InlineData("efconcurrency.conflicts")]
    public void Prose_is_not_taken_for_SQL(string literal) => Assert.False(SqlText.IsSql(literal));

    [Theory]
    [InlineData("src/EfConcurrency/Outbox/OutboxStore.cs", "a(\"select 1 from t\");", 1)]
    [InlineData("src/EfConcurrency/Outbox/OutboxStore.cs", "a($\"\"\"\n    update {t}\n    set x = 1\n    \"\"\");", 1)]
    [InlineData("src/EfConcurrency/Outbox/OutboxStore.cs", "// select 1 from t\na(\"Select one.\");", 0)]
    [InlineData("src/EfConcurrency/Outbox/OutboxSql.cs", "a(\"select 1 from t\");", 0)]
    public void SQL_in_a_wrong_place_is_found(string path, string code, int violations)
        => Assert.Equal(violations, Misplaced(new(path, code)).Count());

    [Theory]
    [InlineData("a(\"/* efconcurrency outbox.claim */ select 1\");", 0)]
    [InlineData("a(\"select 1\");", 1)]
    [InlineData("a(\"/* efconcurrency inbox.claim */ select 1\");", 1)]
    [InlineData("a(\"/* efconcurrency outbox */ select 1\");", 1)]
    [InlineData("a(\"with judged as ({})\");", 1)]
    [InlineData("a(\"create table t (x int)\");", 0)]
    public void A_statement_without_its_name_is_found(string code, int violations)
        => Assert.Equal(violations, Nameless(new("src/EfConcurrency/Outbox/OutboxSql.cs", code)).Count());

    private static IEnumerable<string> Misplaced(SourceFile file)
        => from literal in file.Name.EndsWith("Sql.cs", StringComparison.Ordinal) ? [] : CSharpText.Of(file.Text).Literals
           where SqlText.IsSql(literal.Text)
           select $"{file.Path}({literal.Line}): {Start(literal)}";

    private static IEnumerable<string> Nameless(SourceFile file)
    {
        if (!file.Name.EndsWith("Sql.cs", StringComparison.Ordinal) || file.Room is not { } room)
        {
            return [];
        }

        return from literal in CSharpText.Of(file.Text).Literals
               where SqlText.IsRuntimeStatement(literal.Text) && !IsExcused(file, literal)
               where SqlText.NameOf(literal.Text)?.StartsWith(Rooms.SqlName(room) + ".", StringComparison.Ordinal) is not true
               select $"{file.Path}({literal.Line}): expected /* efconcurrency {Rooms.SqlName(room)}.… */ before: {Start(literal)}";
    }

    private static bool IsExcused(SourceFile file, Literal literal)
        => Unnamed.Any(u => u.File == file.Name && literal.Text.StartsWith(u.Start, StringComparison.Ordinal));

    private static string Start(Literal literal) => string.Join(' ', literal.Text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Take(8));
}
