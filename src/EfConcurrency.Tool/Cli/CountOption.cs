using System.CommandLine;

namespace EfConcurrency.Tool.Cli;

/// <summary>How many rows a list shows.</summary>
internal static class CountOption
{
    private const int Default = 100;
    private const int Most = 10_000;

    public static Option<int> Create()
    {
        var option = new Option<int>("--count", "-n") { HelpName = "n", Description = "How many at most.", DefaultValueFactory = _ => Default };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && (!int.TryParse(text, out var count) || count is < 1 or > Most))
            {
                result.AddError($"--count {text}: a number from 1 to {Most} is wanted.");
            }
        });
        return option;
    }
}
