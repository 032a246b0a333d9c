using System.CommandLine;
using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Leases;

internal sealed class LeasesListVerb : Verb
{
    private readonly Option<bool> _held = new("--held") { Description = "Only those that are held." };
    private readonly Option<bool> _abandoned = new("--abandoned") { Description = "Only those that expired without having been released or taken over." };

    public LeasesListVerb()
        : base("list", "All leases: holder, token, time left.")
    {
        Add(_held);
        Add(_abandoned);
    }

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        var (held, abandoned) = (session.Arguments.GetValue(_held), session.Arguments.GetValue(_abandoned));
        var rows = (await database.Context.Leases().ListAsync(cancellationToken)).Select(LeaseRow.Of)
            .Where(l => (!held && !abandoned) || (held && l.State == LeaseState.Held) || (abandoned && l.State == LeaseState.Abandoned))
            .ToList();
        session.Screen.List(
            rows,
            "No lease.",
            ("lease", l => l.Name),
            ("state", l => l.State.ToString().ToLowerInvariant()),
            ("token", l => $"{l.FencingToken}"),
            ("holder", l => l.Holder),
            ("acquired", l => Human.Time(l.AcquiredAt)),
            ("renewed", l => Human.Time(l.RenewedAt)),
            ("left", l => Human.Duration(l.RemainingSeconds)));
        return ExitCode.Ok;
    }
}
