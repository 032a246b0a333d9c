using System.CommandLine;
using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Explain;

internal sealed class ExplainVerb : Verb
{
    private readonly Argument<string?> _what = new("what")
    {
        Description = "Event id or name (60200), alert, exception type or exit code. Without it: all that can be explained.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public ExplainVerb()
        : base("explain", "What an event, an alert, an exception or an exit code means, and what to do. Needs no database.")
        => Add(_what);

    protected override Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        if (session.Arguments.GetValue(_what) is not { } asked)
        {
            session.Screen.List(
                Explanations.All,
                "Nothing.",
                ("kind", e => e.Kind),
                ("id", e => $"{e.Id}"),
                ("name", e => e.Name),
                ("meaning", e => e.Meaning.ReplaceLineEndings(" ")));
            return Task.FromResult(ExitCode.Ok);
        }

        var found = Explanations.Find(asked);
        if (found.Count == 0)
        {
            throw new EfcException(ExitCode.NotFound, $"Nothing is called '{asked}'. The nearest: {string.Join(", ", Explanations.Nearest(asked))}. 'efc explain' lists all.");
        }

        session.Screen.Show(found, () => Print(session.Screen, found));
        return Task.FromResult(ExitCode.Ok);
    }

    private static void Print(Screen screen, IEnumerable<Explanation> found)
    {
        foreach (var one in found)
        {
            screen.Details(
                one,
                (one.Kind, one.Id is null ? one.Name : $"{one.Id} {one.Name}"),
                ("level", one.Level),
                ("message", one.Message),
                ("meaning", one.Meaning),
                ("what to do", one.Action.Length == 0 ? null : one.Action),
                ("see", one.See));
        }
    }
}
