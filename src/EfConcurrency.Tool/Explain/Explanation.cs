namespace EfConcurrency.Tool.Explain;

/// <summary>What something means, and what to do.</summary>
/// <param name="Kind"><c>event</c>, <c>exception</c>, <c>alert</c> or <c>exit code</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its number, where it has one.</param>
/// <param name="Level">Of an event: how it is logged.</param>
/// <param name="Message">Of an event: the message's template.</param>
/// <param name="Meaning">What is the case.</param>
/// <param name="Action">What to do.</param>
/// <param name="See">Page of the documentation, from the repository's root.</param>
internal sealed record Explanation(string Kind, string Name, int? Id, string? Level, string? Message, string Meaning, string Action, string? See)
{
    public bool IsCalled(string asked)
        => asked == $"{Id}" || Name.Equals(asked, StringComparison.OrdinalIgnoreCase) || Name.EndsWith($".{asked}", StringComparison.OrdinalIgnoreCase);
}
