using System.Globalization;

namespace EfConcurrency.JobSlots;

/// <summary>How a slot is claimed. All processes that compete for a job use the same settings.</summary>
public sealed class JobSlotOptions
{
    private const int MaxInfoLength = 200;
    private const int MostRunners = 1000;
    private static readonly TimeSpan LongestLease = TimeSpan.FromDays(365);

    internal static readonly JobSlotOptions Default = new();

    internal static readonly string ThisProcess = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName} {Environment.ProcessId}");

    /// <summary>What happens to a slot whose runner does not come back.</summary>
    /// <value><see cref="JobSlotMode.AtMostOnce"/></value>
    public JobSlotMode Mode { get; init; } = JobSlotMode.AtMostOnce;

    /// <summary>
    /// How long a claim holds without <see cref="JobSlotHandle.ExtendAsync"/>, by the database's clock; 1 ms to 365 days. Then the slot may
    /// be claimed again (<see cref="JobSlotMode.AtLeastOnce"/>), and retention may delete it.
    /// </summary>
    /// <value>5 minutes</value>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How many runners may claim one slot, 1 to 1000.</summary>
    /// <value>1</value>
    public int MaxRunners { get; init; } = 1;

    /// <summary>Who claims, for people who look at the table; at most 200 characters.</summary>
    /// <value>name of the machine and id of the process</value>
    public string? Info { get; init; } = ThisProcess;

    internal static void CheckLeaseTime(TimeSpan leaseTime, string parameter)
    {
        if (leaseTime < TimeSpan.FromMilliseconds(1) || leaseTime > LongestLease)
        {
            throw new ArgumentOutOfRangeException(
                parameter, leaseTime, "The lease time must be from 1 ms to 365 days. Take several times what the job, or the pause between two calls of ExtendAsync, takes at worst.");
        }
    }

    internal static void CheckInfo(string? info, string parameter)
    {
        if (info?.Length > MaxInfoLength)
        {
            throw new ArgumentException($"Info has {info.Length} characters; at most {MaxInfoLength} are kept. Name the runner more briefly.", parameter);
        }
    }

    internal void Validate()
    {
        if (!Enum.IsDefined(Mode))
        {
            throw new ArgumentOutOfRangeException(nameof(Mode), Mode, "Mode is AtMostOnce or AtLeastOnce.");
        }

        if (MaxRunners is < 1 or > MostRunners)
        {
            throw new ArgumentOutOfRangeException(nameof(MaxRunners), MaxRunners, $"MaxRunners must be from 1 to {MostRunners}.");
        }

        CheckLeaseTime(LeaseTime, nameof(LeaseTime));
        CheckInfo(Info, nameof(Info));
    }
}
