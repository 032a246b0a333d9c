using System.CommandLine;
using EfConcurrency.Tool.Audit;

namespace EfConcurrency.Tool.Cli;

/// <summary>
/// A verb that changes something: it plans, tells the plan, has it confirmed, writes down who does it and why, does it, and writes down what came of it.
/// </summary>
/// <typeparam name="TPlan">What was found and will be acted upon.</typeparam>
internal abstract class ChangingVerb<TPlan> : Verb
    where TPlan : notnull
{
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Tell what would be done; change nothing." };
    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Do not ask for the name to be typed again." };
    private readonly Option<string?> _reason = new("--reason") { Description = "Why; kept in the audit table. Mandatory unless --dry-run." };
    private readonly Option<bool> _noAudit = new("--no-audit") { Description = "Act although the audit table can't be written." };

    protected ChangingVerb(string name, string description)
        : base(name, description)
    {
        Add(_dryRun);
        Add(_yes);
        Add(_reason);
        Add(_noAudit);
    }

    /// <summary>Looks, and changes nothing.</summary>
    /// <exception cref="EfcException">There is nothing to act upon.</exception>
    protected abstract Task<TPlan> PlanAsync(Session session, CancellationToken cancellationToken);

    /// <summary>What is acted upon: the words to be typed as confirmation, and the target in the audit table.</summary>
    protected abstract string Target(TPlan plan);

    /// <summary>What would be done, a line each.</summary>
    protected abstract IEnumerable<string> Describe(TPlan plan);

    /// <summary>Does it.</summary>
    /// <returns>What was done, in a sentence.</returns>
    /// <exception cref="EfcException">It changed since it was looked at; nothing was done.</exception>
    protected abstract Task<string> ApplyAsync(Session session, TPlan plan, CancellationToken cancellationToken);

    protected sealed override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var reason = session.Arguments.GetValue(_reason);
        var isDryRun = session.Arguments.GetValue(_dryRun);
        if (!isDryRun && string.IsNullOrWhiteSpace(reason))
        {
            throw new EfcException(ExitCode.Usage, "--reason is missing: it is kept in the audit table. Or try --dry-run.");
        }

        var plan = await PlanAsync(session, cancellationToken);
        foreach (var line in Describe(plan))
        {
            session.Screen.Message(line);
        }

        if (isDryRun)
        {
            session.Screen.Message("Dry run: nothing was changed.");
            return ExitCode.Ok;
        }

        Confirm(session, Target(plan));
        var database = await session.ConnectAsync(cancellationToken);
        var audit = await AuditEntry.BeginAsync(
            database, VerbPath(), Target(plan), reason!, isOptional: session.Arguments.GetValue(_noAudit), session.Screen, cancellationToken);
        string done;
        try
        {
            done = await ApplyAsync(session, plan, cancellationToken);
        }
        catch (Exception exception)
        {
            await audit.EndAsync("failed", Failure.Of(exception, session.Schema).Message);
            throw;
        }

        await audit.EndAsync("done", done);
        session.Screen.Message(done);
        return ExitCode.Ok;
    }

    private void Confirm(Session session, string target)
    {
        if (session.Arguments.GetValue(_yes))
        {
            return;
        }

        if (!session.Screen.IsInteractive)
        {
            throw new EfcException(ExitCode.Usage, "Not confirmed: without a terminal, --yes is needed. Nothing was changed.");
        }

        if (session.Screen.Ask($"Type {target} to go on:") != target)
        {
            throw new EfcException(ExitCode.Usage, "Not confirmed. Nothing was changed.");
        }
    }

    private string VerbPath() => string.Join(' ', Parents.OfType<Command>().Where(c => c is not RootCommand).Select(c => c.Name).Append(Name));
}
