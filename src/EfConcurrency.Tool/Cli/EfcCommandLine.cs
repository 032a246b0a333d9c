using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using EfConcurrency.Tool.Audit;
using EfConcurrency.Tool.Doctor;
using EfConcurrency.Tool.Explain;
using EfConcurrency.Tool.Idempotency;
using EfConcurrency.Tool.Inbox;
using EfConcurrency.Tool.Leases;
using EfConcurrency.Tool.Locks;
using EfConcurrency.Tool.Outbox;
using EfConcurrency.Tool.Run;
using EfConcurrency.Tool.Slots;
using EfConcurrency.Tool.Snapshot;
using EfConcurrency.Tool.Status;
using EfConcurrency.Tool.Top;

namespace EfConcurrency.Tool.Cli;

/// <summary>All verbs.</summary>
internal static partial class EfcCommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        // A word that starts with @ is what it says, and no file of arguments.
        var parsed = Root().Parse(args, new() { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            await Console.Error.WriteLineAsync($"efc: {Discreet(parsed.Errors)} 'efc --help' lists the verbs.");
            return ExitCode.Usage;
        }

        return await parsed.InvokeAsync(parsed.CommandResult.Command is RunVerb ? RunVerb.Invocation : new());
    }

    /// <summary>What can't be understood is quoted, unless it looks like a connection string that lost its option.</summary>
    private static string Discreet(IEnumerable<ParseError> errors) => string.Join(
        ' ',
        errors.Select(e => e.Message).Distinct().Select(m => ConnectionString().IsMatch(m)
            ? "There is a connection string where none belongs: put --connection before it."
            : m.ReplaceLineEndings(" ")));

    /// <summary>By the names that Npgsql has for a password, or as a URI.</summary>
    [GeneratedRegex(@"password|\b(pwd|psw)\s*=|://", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ConnectionString();

    private static RootCommand Root() => new("What operators ask a database that uses EfConcurrency.")
    {
        GlobalOptions.Connection,
        GlobalOptions.Schema,
        GlobalOptions.Output,
        GlobalOptions.NoColor,
        new StatusVerb(),
        new TopVerb(),
        new Command("locks", "Advisory locks, and who waits for whom.") { new LocksListVerb(), new LocksTreeVerb(), new LocksReleaseVerb() },
        new Command("leases", "Leases: who works on what, and since when.") { new LeasesListVerb(), new LeasesBreakVerb() },
        new Command("outbox", "Outbox: what waits, what is dead, and what became of a message.")
        {
            new OutboxListVerb(), new OutboxShowVerb(), new OutboxReplayVerb(), new OutboxParkVerb(), new OutboxPurgeVerb(),
        },
        new Command("inbox", "Inbox: who has handled a message.") { new InboxShowVerb() },
        new Command("idempotency", "Idempotency keys: what became of an operation.") { new IdempotencyShowVerb(), new IdempotencyListVerb(), new IdempotencyExpireVerb() },
        new Command("slots", "Job slots: what ran, what runs, what is late.") { new SlotsListVerb() },
        new Command("audit", "What operators did by this tool.") { new AuditListVerb(), new AuditDdlVerb() },
        new RunVerb(),
        new DoctorVerb(),
        new SnapshotVerb(),
        new ExplainVerb(),
    };
}
