using System.Diagnostics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.Leases;

/// <summary>Spans about leases.</summary>
internal static class LeaseActivity
{
    public static Activity? Start(string operation, string name)
        => Telemetry.Activities.StartActivity(operation)?.SetTag(TagNames.Resource, name);

    public static void End(Activity? activity, LeaseAcquisition acquisition)
    {
        activity?.SetTag(TagNames.Outcome, acquisition.Outcome.ToString());
        if (acquisition.Failure is { } failure)
        {
            activity?.SetStatus(ActivityStatusCode.Error, failure.Message);
        }
    }
}
