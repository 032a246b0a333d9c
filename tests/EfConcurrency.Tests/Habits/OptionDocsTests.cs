using System.Xml.Linq;

namespace EfConcurrency.Tests.Habits;

/// <summary>Every option says its default. That public members have documentation at all is the compiler's to say (CS1591).</summary>
public sealed class OptionDocsTests
{
    [Fact]
    public void Options_say_their_defaults()
        => Habit.Holds(
            "The documentation of a property of *Options has a <value>; that of a method of *OptionsBuilder says the default.",
            Habit.Assemblies.SelectMany(a => Silent(
                XDocument.Load(Path.ChangeExtension(a.Location, ".xml")),
                a.GetExportedTypes().Select(t => t.FullName!).ToHashSet(StringComparer.Ordinal))));

    [Theory]
    [InlineData("P:X.RetryOptions.MaxAttempts", "<summary>Attempts.</summary>", 1)]
    [InlineData("P:X.RetryOptions.MaxAttempts", "<summary>Attempts.</summary><value>5</value>", 0)]
    [InlineData("P:X.RetryOptions.MaxAttempts", "<summary>Attempts. The default is 5.</summary>", 0)]
    [InlineData("M:X.RetryOptionsBuilder.UseAttempts(System.Int32)", "<summary>Attempts.</summary><param name=\"n\">How many.</param>", 1)]
    [InlineData("M:X.RetryOptionsBuilder.UseAttempts(System.Int32)", "<summary>Attempts.</summary><param name=\"n\">The default is 5.</param>", 0)]
    [InlineData("M:X.RetryOptionsBuilder.UseAttempts", "<inheritdoc />", 0)]
    [InlineData("M:X.RetryOptions.#ctor", "<summary>Creates it.</summary>", 0)]
    [InlineData("P:X.Retry.MaxAttempts", "<summary>Attempts.</summary>", 0)]
    public void An_option_without_a_default_is_found(string member, string docs, int violations)
        => Assert.Equal(violations, Silent(XDocument.Parse($"<doc><members><member name=\"{member}\">{docs}</member></members></doc>"), ["X.RetryOptions", "X.RetryOptionsBuilder", "X.Retry"]).Count());

    private static IEnumerable<string> Silent(XDocument docs, HashSet<string> exported)
        => from member in docs.Descendants("member")
           let name = (string)member.Attribute("name")!
           let path = name[2..].Split('(')[0]
           let type = path[..Math.Max(0, path.LastIndexOf('.'))]
           where exported.Contains(type) && !path.EndsWith("#ctor", StringComparison.Ordinal)
           where (name[0] == 'P' && type.EndsWith("Options", StringComparison.Ordinal)) || (name[0] == 'M' && type.EndsWith("OptionsBuilder", StringComparison.Ordinal))
           where member.Element("value") is null && member.Element("inheritdoc") is null && !member.Value.Contains("default", StringComparison.OrdinalIgnoreCase)
           select $"{path}: {member.Element("summary")?.Value.Trim()}";
}
