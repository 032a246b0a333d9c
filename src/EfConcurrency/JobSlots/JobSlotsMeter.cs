using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.JobSlots;

/// <summary>Instruments of the room. A job's name is a tag: jobs are few, and named in the program.</summary>
internal static class JobSlotsMeter
{
    private static readonly Counter<long> Claims = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.job_slot.claims", "{claim}", "Claims of job slots, by what became of them.");

    private static readonly Counter<long> Completions = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.job_slot.completions", "{completion}", "Completions of job slots, by whether the slot still was the runner's.");

    /// <param name="job">Name of the job.</param>
    /// <param name="outcome"><c>claimed</c>, <c>reclaimed</c>, <c>already_claimed</c>, <c>completed</c>, <c>cancelled</c> or <c>failed</c>.</param>
    /// <param name="failure">For <c>failed</c>.</param>
    public static void Claim(string job, string outcome, Exception? failure = null)
    {
        var tags = new TagList { { TagNames.Job, job }, { TagNames.Outcome, outcome } };
        tags.AddFailure(failure);
        Claims.Add(1, tags);
    }

    /// <param name="job">Name of the job.</param>
    /// <param name="outcome"><c>completed</c> or <c>lost</c>.</param>
    public static void Completion(string job, string outcome) => Completions.Add(1, new(TagNames.Job, job), new(TagNames.Outcome, outcome));
}
