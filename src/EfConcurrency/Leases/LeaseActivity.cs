using System.Diagnostics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.Leases;

/// <summary>Spans about leases.</summary>
internal static class LeaseActivity
{
    public static Activity? Start(string name)
        => Telemetry.Activities.StartActivity(SpanNames.LeaseAcquire)?.SetTag(TagNames.Resource, name);

    public static void End(Activity? activity, LeaseAcquisition acquisition)
    {
        activity?.SetTag(TagNames.Outcome, LeaseMeter.Tag(acquisition.Outcome));
        if (acquisition.Failure is { } failure)
        {
            activity.Fail(failure, failure.Message);
        }
    }
}
