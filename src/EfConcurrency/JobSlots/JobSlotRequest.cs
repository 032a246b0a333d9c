using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using EfConcurrency.Postgres;

namespace EfConcurrency.JobSlots;

/// <summary>One claim, as it is sent: the statements, and their parameters. Sent again, it finds what it has claimed.</summary>
internal sealed class JobSlotRequest
{
    private readonly JobSlotTime _time;

    private JobSlotRequest(string job, JobSlotTime time, JobSlotOptions options, bool isComplete)
    {
        JobSlotTime.CheckJob(job);
        Job = job;
        _time = time;
        Options = options;
        IsComplete = isComplete;
    }

    public string Job { get; }

    public Guid ClaimId { get; } = Guid.NewGuid();

    public JobSlotOptions Options { get; }

    /// <summary>Whether the claim is complete when its transaction commits.</summary>
    public bool IsComplete { get; }

    /// <summary>With one runner the primary key is queue enough.</summary>
    public bool IsQueued => Options.MaxRunners > 1;

    public static JobSlotRequest Separate(string job, JobSlotTime time, JobSlotOptions? options)
    {
        options ??= JobSlotOptions.Default;
        options.Validate();
        return new(job, time, options, isComplete: false);
    }

    public static JobSlotRequest InTransaction(string job, JobSlotTime time, string? info)
    {
        JobSlotOptions.CheckInfo(info, nameof(info));
        return new(job, time, new() { Mode = JobSlotMode.AtLeastOnce, Info = info ?? JobSlotOptions.ThisProcess }, isComplete: true);
    }

    public string Sql(JobSlotTable table)
    {
        var slot = _time.Schedule is null ? JobSlotsSql.NamedSlot : JobSlotsSql.CurrentSlot;
        return (IsQueued ? JobSlotsSql.Queue(table, slot) + ";\n" : "") + JobSlotsSql.Claim(table, slot) + ";\n" + JobSlotsSql.State(table, slot);
    }

    public IReadOnlyList<SqlParameterValue> Parameters(JobSlotTable table) =>
    [
        table.Value(nameof(JobSlot.Job), Job),
        _time.Schedule is { } schedule ? table.Microseconds(schedule.Stride) : table.Value(nameof(JobSlot.SlotAt), _time.SlotAt),
        table.Value(nameof(JobSlot.SlotAt), _time.Schedule?.EarlyOrigin ?? _time.SlotAt),
        table.Value(nameof(JobSlot.ClaimedBy), ClaimId),
        table.Value(nameof(JobSlot.ClaimedInfo), Options.Info),
        table.Microseconds(IsComplete ? TimeSpan.Zero : Options.LeaseTime),
        table.Value(nameof(JobSlot.SlotNo), Options.MaxRunners),
        table.Value(nameof(JobSlot.CanReclaim), Options.Mode == JobSlotMode.AtLeastOnce),
        table.Value(nameof(JobSlot.CanReclaim), IsComplete),
        table.Value(nameof(JobSlot.Attempt), NumberOf(table)),
    ];

    /// <summary>What the rows of the slot say to a claimant that got none of them; null when they should have let it in.</summary>
    public JobSlotResult? Judge(IReadOnlyList<JobSlot> state)
    {
        var runners = state.Where(s => s.SlotNo < Options.MaxRunners).ToList();
        if (runners.Count < Options.MaxRunners)
        {
            return null;
        }

        if (runners.Where(s => s.CompletedAt is null).MinBy(s => s.ExpiresAt) is { } running)
        {
            return new JobSlotResult.AlreadyClaimed(running.ClaimedBy, running.ClaimedInfo, running.ExpiresAt, running.SlotAt);
        }

        var last = runners.MaxBy(s => s.CompletedAt)!;
        return new JobSlotResult.Completed(last.ClaimedBy, last.ClaimedInfo, last.CompletedAt!.Value, last.SlotAt, last.Outcome);
    }

    /// <summary>Equal numbers of two jobs only make their claims wait for each other, for the moment that a claim takes.</summary>
    private long NumberOf(JobSlotTable table)
        => BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"EfConcurrency.JobSlots\u001f{table.Name}\u001f{Job}")));
}
