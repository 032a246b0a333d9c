using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.Fencing;

/// <summary>Instruments of the room.</summary>
internal static class FencingMeter
{
    private static readonly Counter<long> Rejections = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.fencing.rejections", "{rejection}", "Writes that the database refused because their fencing token was stale.");

    /// <summary>By what found it: the lease (or a trigger), or a row of an entity that carries a newer token.</summary>
    public static void Rejected(FencingTokenRejectedException rejected)
        => Rejections.Add(1, new KeyValuePair<string, object?>(TagNames.Entity, rejected.EntityType ?? "lease"));
}
