using System.Data.Common;
using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Database;

namespace EfConcurrency.Tool.Status;

/// <summary>A line for each sink; one for the log when nobody has ever read it.</summary>
internal sealed class OutboxProbe : IRoomProbe
{
    public string Room => "outbox";

    public bool AppliesTo(LibraryTables tables)
        => tables.Has(LibraryTables.Outbox) && tables.Has(LibraryTables.OutboxCursor) && tables.Has(LibraryTables.OutboxPending) && tables.Has(LibraryTables.OutboxOwner);

    public (string Sql, object[] Parameters) Question(string schema, StatusThresholds thresholds) => (
        StatusSql.Outbox(
            SqlName.Of(schema, LibraryTables.Outbox),
            SqlName.Of(schema, LibraryTables.OutboxCursor),
            SqlName.Of(schema, LibraryTables.OutboxPending),
            SqlName.Of(schema, LibraryTables.OutboxOwner)),
        []);

    public async Task<IReadOnlyList<RoomStatus>> ReadAsync(DbDataReader answer, StatusThresholds thresholds, CancellationToken cancellationToken)
    {
        var lines = new List<RoomStatus>();
        var isUsed = false;
        while (await answer.ReadAsync(cancellationToken))
        {
            isUsed = answer.GetBoolean(0);
            if (!await answer.IsDBNullAsync(1, cancellationToken))
            {
                lines.Add(Sink(SinkLag.Read(answer), thresholds));
            }
        }

        return lines.Count > 0 ? lines :
        [
            isUsed
                ? new(Room, RoomState.Attention, "there are messages, and no dispatcher has ever read them", new Dictionary<string, object?> { ["sinks"] = 0 })
                : new(Room, RoomState.Ok, "empty, no sink", new Dictionary<string, object?> { ["sinks"] = 0 }),
        ];
    }

    private RoomStatus Sink(SinkLag lag, StatusThresholds thresholds)
    {
        var complaints = new List<string>();
        if (lag.OldestSeconds > thresholds.OutboxAge.TotalSeconds)
        {
            complaints.Add("the oldest is late");
        }

        if (lag.Dispatchers == 0 && lag.IsWaiting)
        {
            complaints.Add("no dispatcher is alive");
        }

        if (lag.Failure is not null)
        {
            complaints.Add($"its transport is down: {lag.Failure}");
        }

        var isAttention = complaints.Count > 0 || lag.Dead > thresholds.DeadLetters;
        var summary = $"{lag.Undelivered}{(lag.IsMore ? " or more" : "")} undelivered, oldest {Human.Duration(lag.OldestSeconds) ?? "none"}, {lag.Retrying} retrying, {lag.Delayed} delayed, "
            + $"{Human.Count(lag.Dead, "dead letter")}, {Human.Count(lag.Dispatchers, "dispatcher")}";
        return new(
            $"{Room}:{lag.Sink}",
            isAttention ? RoomState.Attention : RoomState.Ok,
            complaints.Count == 0 ? summary : $"{summary}; {string.Join("; ", complaints)}",
            new Dictionary<string, object?>
            {
                ["sink"] = lag.Sink, ["undelivered"] = lag.Undelivered, ["isMore"] = lag.IsMore, ["oldestSeconds"] = lag.OldestSeconds, ["retrying"] = lag.Retrying,
                ["delayed"] = lag.Delayed, ["dead"] = lag.Dead, ["dispatchers"] = lag.Dispatchers, ["failure"] = lag.Failure,
            });
    }
}
