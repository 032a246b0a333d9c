using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Doctor.Checks;

/// <summary>The library goes by the database's clock; logs, tokens and people by others.</summary>
internal sealed class ClockCheck() : DoctorCheck("clock")
{
    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var asked = time.GetTimestamp();
        var database = (await patient.RowsAsync(DoctorSql.Server, r => r.GetFieldValue<DateTimeOffset>(2), cancellationToken))[0];

        // The answer was made somewhere within the round trip, so half of it is the uncertainty.
        var trip = time.GetElapsedTime(asked);
        var skew = time.GetUtcNow() - (trip / 2) - database;
        return skew.Duration() - (trip / 2) <= patient.Limits.ClockSkew ? [] :
        [
            Warning(
                $"The clock of this machine is {Human.Duration(skew.Duration())} {(skew < TimeSpan.Zero ? "behind" : "ahead of")} the database's.",
                "Look at the time synchronisation of both (timedatectl, chronyc tracking). Leases go by the database's clock and are not harmed."),
        ];
    }
}
