using System.CommandLine;
using EfConcurrency.Leases;
using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Leases;

internal sealed class LeasesBreakVerb : ChangingVerb<LeaseRow>
{
    private readonly Argument<string> _name = new("name") { Description = "Name of the lease." };

    public LeasesBreakVerb()
        : base("break", "Frees a lease and raises its token: the database refuses its holder's fenced writes from then on.")
        => Add(_name);

    protected override async Task<LeaseRow> PlanAsync(Session session, CancellationToken cancellationToken)
    {
        var name = session.Arguments.GetValue(_name)!;
        var database = await session.ConnectAsync(cancellationToken);
        return await database.Context.Leases().DescribeAsync(name, cancellationToken) is { } lease ? LeaseRow.Of(lease) : throw Missing(name);
    }

    protected override string Target(LeaseRow plan) => plan.Name;

    protected override IEnumerable<string> Describe(LeaseRow plan) =>
    [
        plan.State switch
        {
            LeaseState.Held => $"Lease {plan.Name} is held by {plan.Holder}, token {plan.FencingToken}, for another {Human.Duration(plan.RemainingSeconds) ?? "unlimited time"}.",
            LeaseState.Abandoned => $"Lease {plan.Name} was left by {plan.Holder}, token {plan.FencingToken}, last renewed {Human.Time(plan.RenewedAt)}.",
            _ => $"Lease {plan.Name} is free; its last token is {plan.FencingToken}.",
        },
        "Breaking it raises the token: writes under the old one are refused, and the lease can be acquired at once.",
    ];

    protected override async Task<string> ApplyAsync(Session session, LeaseRow plan, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        var forced = await LeaseManager.Of(database.Context).ForceAsync(plan.Name, plan.FencingToken, cancellationToken)
            ?? throw new EfcException(
                ExitCode.Changed, $"Lease {plan.Name} is no longer under token {plan.FencingToken}: somebody acquired or broke it meanwhile. Nothing was done; 'efc leases list' shows who holds it now.");
        return $"Lease {plan.Name} is free; its token is {forced.FencingToken}.";
    }

    private static EfcException Missing(string name) => new(ExitCode.NotFound, $"There is no lease '{name}'. 'efc leases list' shows all.");
}
