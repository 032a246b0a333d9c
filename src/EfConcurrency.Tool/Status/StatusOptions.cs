using System.CommandLine;
using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Status;

/// <summary>The thresholds as options, the same for all verbs that tell the status. The defaults are those of the health check.</summary>
internal sealed class StatusOptions
{
    private readonly Option<TimeSpan> _lockWait = DurationOption.Of("--max-lock-wait", "Longest wait for an advisory lock that is in order.", "30s");
    private readonly Option<TimeSpan> _abandoned = DurationOption.Of("--max-abandoned-age", "How long an expired lease may go without a new holder.", "1m");
    private readonly Option<TimeSpan> _outboxAge = DurationOption.Of("--max-outbox-age", "Age of the oldest undelivered message that is in order.", "1m");
    private readonly Option<int> _deadLetters = new("--max-dead") { Description = "Dead letters of a sink that are in order.", DefaultValueFactory = _ => 0 };
    private readonly Option<TimeSpan> _stuck = DurationOption.Of("--max-stuck-age", "How long the worker of an idempotency key may be gone.", "5m");
    private readonly Option<TimeSpan> _slotDelay = DurationOption.Of("--max-slot-delay", "How long the runner of a job's latest slot may be gone.", "1m");

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_lockWait, _abandoned, _outboxAge, _deadLetters, _stuck, _slotDelay])
        {
            command.Add(option);
        }
    }

    public StatusThresholds Of(ParseResult arguments) => new(
        arguments.GetValue(_lockWait), arguments.GetValue(_abandoned), arguments.GetValue(_outboxAge), arguments.GetValue(_deadLetters), arguments.GetValue(_stuck), arguments.GetValue(_slotDelay));
}
