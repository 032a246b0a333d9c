namespace EfConcurrency.Tests.Habits;

/// <summary>The habit tests stand on telling code from text, so that is held here.</summary>
public sealed class CSharpTextTests
{
    [Theory]
    [InlineData("a(\"one\");", "one")]
    [InlineData("a(@\"say \"\"hi\"\"\");", "say \"\"hi\"\"")]
    [InlineData("a($\"x {string.Join(\", \", keys)} y\");", ", |x {} y")]
    [InlineData("a($\"{{0}} {n:D2}\");", "{{0}} {}")]
    [InlineData("a($\"{{{n}}}\");", "{{{}}}")]
    [InlineData("a($@\"x {n} \"\"y\"\"\");", "x {} \"\"y\"\"")]
    [InlineData("a(\"\"\"one \"two\" three\"\"\");", "one \"two\" three")]
    [InlineData("a($$\"\"\"{\"x\": {{n}}}\"\"\");", "{\"x\": {}}")]
    [InlineData("a(\"\", \"\\\"\", '\"', \"b\"); // \"no\"", "|\\\"|b")]
    [InlineData("/* \"no\" */ a();", "")]
    public void Literals_are_found_with_their_holes_taken_out(string code, string literals)
        => Assert.Equal(literals, string.Join("|", CSharpText.Of(code).Literals.Select(l => l.Text)));

    [Fact]
    public void What_stands_in_a_hole_is_code_and_what_stands_in_a_comment_is_not()
    {
        var code = CSharpText.Of("a($\"text {Hole.Name(\"x\")} text\"); // Comment.Name\n/* Other.Name */ b();").Code;

        Assert.Contains("Hole.Name", code, StringComparison.Ordinal);
        Assert.DoesNotContain("text", code, StringComparison.Ordinal);
        Assert.DoesNotContain("Comment.Name", code, StringComparison.Ordinal);
        Assert.DoesNotContain("Other.Name", code, StringComparison.Ordinal);
        Assert.Contains("b();", code, StringComparison.Ordinal);
    }

    [Fact]
    public void A_literal_knows_its_line()
        => Assert.Equal([2, 4], CSharpText.Of("a();\nb(\"x\");\n/* \n */ c(\"y\");").Literals.Select(l => l.Line));
}
