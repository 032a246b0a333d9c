namespace EfConcurrency.Outbox;

/// <summary>The statements of one sink's dispatcher, on two connections of its own: one reads the log, one writes. Its lanes end with the session.</summary>
internal sealed class OutboxStore(
    OutboxDatabase database, string sink, OutboxOwnership owner, OutboxConnection reading, OutboxConnection writing, CancellationToken session)
{
    public Task CreateCursorsAsync(OutboxStart start, CancellationToken cancellationToken)
        => writing.ExecuteAsync(database.Leases.Create, cancellationToken, sink, start == OutboxStart.Beginning);

    public Task PresentAsync(int capacity, TimeSpan time, string? failure, CancellationToken cancellationToken)
        => writing.ExecuteAsync(database.Leases.Present, cancellationToken, sink, owner.Id, owner.Name, capacity, time.TotalSeconds, failure ?? "");

    public async Task<(int[] Capacities, int Free)> LookAsync(short[] held, CancellationToken cancellationToken)
        => (await writing.ListAsync(
            database.Leases.Look, [sink, owner.Id, held], static reader => (reader.GetFieldValue<int[]>(0), reader.GetInt32(1)), cancellationToken).ConfigureAwait(false))[0];

    public async Task<(string Timeline, List<LedLane> Lanes)> AcquireAsync(int count, short[] held, TimeSpan time, CancellationToken cancellationToken)
    {
        var timeline = "";
        var lanes = await writing.ListAsync(
            database.Leases.Acquire,
            [sink, owner.Id, time.TotalSeconds, count, held],
            reader =>
            {
                timeline = reader.GetString(5);
                return new LedLane(reader.GetInt16(0), reader.GetInt64(1), new(
                    OutboxSnapshot.Parse(reader.GetString(2)), reader.IsDBNull(3) ? null : OutboxSnapshot.Parse(reader.GetString(3)), reader.GetInt64(4)), session);
            },
            cancellationToken).ConfigureAwait(false);
        return (timeline, lanes);
    }

    public async Task<int> CountAheadAsync(CancellationToken cancellationToken)
        => (await writing.ListAsync(database.Leases.Ahead, [sink], static reader => reader.GetInt32(0), cancellationToken).ConfigureAwait(false))[0];

    public Task ReleaseAsync(IReadOnlyCollection<LedLane> lanes, CancellationToken cancellationToken)
        => writing.ExecuteAsync(
            database.Leases.Release, cancellationToken, sink, lanes.Select(l => l.Number).ToArray(), lanes.Select(l => l.Epoch).ToArray());

    public Task LeaveAsync(CancellationToken cancellationToken) => writing.ExecuteAsync(database.Leases.Leave, cancellationToken, sink, owner.Id);

    /// <summary>The lanes that are still ours.</summary>
    public async Task<HashSet<short>> AckAsync(
        IReadOnlyList<(LedLane Lane, OutboxProgress Progress)> acks, OutboxChanges changes, TimeSpan time, string timeline, CancellationToken cancellationToken)
    {
        List<object> parameters =
        [
            sink,
            acks.Select(a => a.Lane.Number).ToArray(),
            acks.Select(a => a.Lane.Epoch).ToArray(),
            acks.Select(a => a.Progress.Seen.Text).ToArray(),
            acks.Select(a => a.Progress.PlannedTo?.Text).ToArray(),
            acks.Select(a => a.Progress.LastId).ToArray(),
            time.TotalSeconds,
            timeline,
        ];
        if (!changes.IsEmpty)
        {
            parameters.AddRange(OutboxChangeColumns.Of(changes));
        }

        var sql = changes.IsEmpty ? database.Acks.Ack : database.Acks.AckWithChanges;
        return [.. await writing.ListAsync(sql, [.. parameters], static reader => reader.GetInt16(0), cancellationToken).ConfigureAwait(false)];
    }

    /// <summary>What is new in the lanes, at least the first of it, and whether that is all.</summary>
    public Task<OutboxPage> ReadAsync(IReadOnlyList<LedLane> lanes, int count, int bytes, CancellationToken cancellationToken)
    {
        var (xmax, inProgress) = OutboxSnapshot.Range(lanes.Select(l => l.Progress.Seen));
        return reading.QueryAsync(
            database.Reads.Read,
            [lanes.Select(l => l.Number).ToArray(), lanes.Select(l => l.Progress.Seen.Text).ToArray(), xmax, inProgress, count, (long)bytes],
            async (reader, token) =>
            {
                var messages = new List<LoggedMessage>();
                var snapshot = "";
                var total = 0L;
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    snapshot = reader.GetString(0);
                    if (!reader.IsDBNull(1))
                    {
                        total = reader.GetInt64(1);
                        messages.Add(LoggedMessage.Read(reader, 2));
                    }
                }

                return new OutboxPage(OutboxSnapshot.Parse(snapshot), messages, IsAll: messages.Count == total && total < count);
            },
            cancellationToken);
    }

    /// <summary>Places of the next messages of the lanes, all of which have something planned.</summary>
    public Task<List<(short Lane, OutboxPlace Place)>> PlanAsync(IReadOnlyList<LedLane> lanes, int count, CancellationToken cancellationToken)
    {
        var (xmax, inProgress) = OutboxSnapshot.Range(lanes.Select(l => l.Progress.Seen));
        var upper = lanes.Max(l => l.Progress.PlannedTo!.Xmax);
        return reading.ListAsync(
            database.Reads.Plan,
            [
                lanes.Select(l => l.Number).ToArray(),
                lanes.Select(l => l.Progress.Seen.Text).ToArray(),
                xmax,
                inProgress,
                count,
                upper.ToString(System.Globalization.CultureInfo.InvariantCulture),
                lanes.Select(l => l.Progress.PlannedTo!.Text).ToArray(),
                lanes.Select(l => l.Progress.LastId).ToArray(),
            ],
            static reader => (reader.GetInt16(1), new OutboxPlace(reader.GetInt64(0), reader.GetInt16(2), reader.GetFieldValue<NpgsqlTypes.NpgsqlTid>(3), reader.GetInt32(4))),
            cancellationToken);
    }

    /// <summary>The messages at these places, or null when they are not there any more.</summary>
    public async Task<List<LoggedMessage>?> FetchAsync(IReadOnlyList<OutboxPlace> places, CancellationToken cancellationToken)
    {
        var messages = await reading.ListAsync(
            database.Reads.Fetch,
            [places[0].Slot, places.Select(p => p.Tid).ToArray(), places[0].Id, places[^1].Id],
            static reader => LoggedMessage.Read(reader, 0),
            cancellationToken).ConfigureAwait(false);
        return messages.Select(m => m.Id).SequenceEqual(places.Select(p => p.Id)) ? messages : null;
    }

    /// <summary>Messages beside the log that are due, and how long until others are; null: there are none.</summary>
    public Task<(TimeSpan? Next, List<LoggedMessage> Messages)> DueAsync(IEnumerable<LedLane> lanes, bool deadHolds, int count, int bytes, CancellationToken cancellationToken)
        => writing.QueryAsync(
            database.Pending.Due,
            [sink, lanes.Select(l => l.Number).ToArray(), deadHolds, count, (long)bytes],
            static async (reader, token) =>
            {
                TimeSpan? next = null;
                var messages = new List<LoggedMessage>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    next = reader.IsDBNull(0) ? null : TimeSpan.FromSeconds(Math.Clamp(reader.GetDouble(0), 0, 1e9));
                    if (!reader.IsDBNull(1))
                    {
                        messages.Add(LoggedMessage.Read(reader, 1));
                    }
                }

                return (next, messages);
            },
            cancellationToken);

    public async Task<HashSet<string>> WaitingKeysAsync(IEnumerable<string> keys, bool deadHolds, CancellationToken cancellationToken)
        => [.. await writing.ListAsync(database.Pending.Keys, [sink, keys.Distinct(StringComparer.Ordinal).ToArray(), deadHolds], static reader => reader.GetString(0), cancellationToken).ConfigureAwait(false)];

    public async Task<HashSet<short>> WaitingLanesAsync(bool deadHolds, CancellationToken cancellationToken)
        => [.. await writing.ListAsync(database.Pending.Lanes, [sink, deadHolds], static reader => reader.GetInt16(0), cancellationToken).ConfigureAwait(false)];
}
