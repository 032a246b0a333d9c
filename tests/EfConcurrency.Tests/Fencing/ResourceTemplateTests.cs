using System.Linq.Expressions;
using EfConcurrency.Fencing;

namespace EfConcurrency.Tests.Fencing;

/// <summary>The name of a row's resource, read from an expression and told alike in .NET and SQL.</summary>
public sealed class ResourceTemplateTests
{
    private const string Prefix = "p{x}";

    private static readonly string Captured = "c";

    public static TheoryData<string, Expression<Func<Row, string>>> Selectors => new()
    {
        { "report:{Id}", r => "report:" + r.Id },
        { "report:{Id}", r => $"report:{r.Id}" },
        { "{Tenant}/{Id}", r => r.Tenant + "/" + r.Id },
        { "{Tenant}/{Id}", r => $"{r.Tenant}/{r.Id}" },
        { "{Tenant}:{Id}:{Key}:{Number}:x", r => $"{r.Tenant}:{r.Id}:{r.Key}:{r.Number}:x" },
        { "{Id}", r => r.Id.ToString() },
        { "p{{x}}{Id}", r => Prefix + r.Id },
        { "c{Id}c", r => Captured + r.Id + Captured },
        { "{{{Id}}}", r => $"{{{r.Id}}}" },
        { "{Tenant}", r => r.Tenant },
        { "fixed", r => "fixed" },
    };

    [Theory]
    [MemberData(nameof(Selectors), DisableDiscoveryEnumeration = true)]
    public void Text_and_properties_are_read(string expected, Expression<Func<Row, string>> selector)
        => Assert.Equal(expected, ResourceSelector.ToTemplate(selector, "Row"));

    public static TheoryData<Expression<Func<Row, string>>> Others => new(
        r => r.Tenant.ToUpperInvariant(),
        r => $"{r.Id:D4}",
        r => $"{r.Id,4}",
        r => $"a{r.Id:D4}b{r.Tenant}",
        r => r.Tenant.Length > 3 ? "a" : "b",
        r => r.Parent!.Tenant,
        r => (r.Id + 1).ToString(),
        r => r.Id.ToString("x"));

    [Theory]
    [MemberData(nameof(Others), DisableDiscoveryEnumeration = true)]
    public void Anything_else_is_refused(Expression<Func<Row, string>> selector)
        => Assert.Contains("FencedBy", Assert.Throws<FencingConfigurationException>(() => ResourceSelector.ToTemplate(selector, "Row")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("a{Id}", "'a' || \"Id\"::text")]
    [InlineData("it''s {{{Id}}}", "'it''''s {' || \"Id\"::text || '}'")]
    [InlineData("{A}{B}", "\"A\"::text || \"B\"::text")]
    [InlineData("plain", "'plain'")]
    public void SQL_quotes_what_is_literal(string template, string expected)
        => Assert.Equal(expected, ResourceTemplate.Parse(template).ToSql(p => $"\"{p}\""));

    [Theory]
    [InlineData("report:{Id}", "report:7", true)]
    [InlineData("report:{Id}", "report:", true)]
    [InlineData("report:{Id}", "xreport:7", false)]
    [InlineData("report:{Id}", "report:7\n8", true)]
    [InlineData("a.{Id}", "ab7", false)]
    [InlineData("{A}/{B}", "1/2", true)]
    [InlineData("{A}/{B}", "12", false)]
    public void A_name_matches_when_a_row_could_have_it(string template, string name, bool expected)
        => Assert.Equal(expected, ResourceTemplate.Parse(template).Matches(name));

    [Theory]
    [InlineData("mrp")]
    [InlineData("a{b}c")]
    [InlineData("{{}}")]
    [InlineData("}{")]
    public void A_constant_name_may_hold_braces(string name)
    {
        var template = ResourceTemplate.Parse(ResourceTemplate.Literal(name));
        Assert.True(template.IsConstant);
        Assert.Equal(name, template.Constant);
    }

    public sealed class Row
    {
        public int Id { get; set; }

        public string Tenant { get; set; } = "";

        public Guid Key { get; set; }

        public long Number { get; set; }

        public Row? Parent { get; set; }
    }
}
