using EfConcurrency.Tool.Database;
using EfConcurrency.Tool.Doctor.Checks;
using Npgsql;

namespace EfConcurrency.Tool.Doctor;

/// <summary>Runs all checks.</summary>
internal static class DoctorRounds
{
    private static readonly DoctorCheck[] Checks =
    [
        new ServerVersionCheck(), new ReadOnlyCheck(), new PoolerCheck(), new ClockCheck(), new DurabilityCheck(), new GrantsCheck(), new SchemaCheck(), new FunctionsCheck(),
        new TriggersCheck(), new PartitionsCheck(), new OutboxOriginCheck(), new IdleInTransactionCheck(), new OldSnapshotsCheck(), new BloatCheck(), new TransactionIdAgeCheck(),
    ];

    public static async Task<DoctorReport> RunAsync(OperatorDatabase database, DoctorLimits limits, CancellationToken cancellationToken)
    {
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        var patient = new Patient(database, connection, limits);
        var findings = new List<Finding>();
        foreach (var check in Checks)
        {
            try
            {
                findings.AddRange(await check.RunAsync(patient, cancellationToken));
            }
            catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.UndefinedColumn)
            {
                // Another check says why.
                findings.Add(new(check.Name, Severity.Warning, $"The check could not look: {error.MessageText}.", "See what the checks 'grants' and 'schema' say."));
            }
        }

        return new(await database.ClockAsync(cancellationToken), [.. Checks.Select(c => c.Name)], [.. findings.OrderByDescending(f => f.Severity)]);
    }
}
