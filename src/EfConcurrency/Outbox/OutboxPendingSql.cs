namespace EfConcurrency.Outbox;

/// <summary>What waits beside the log. The leader of a lane alone works on the lane's rows.</summary>
internal sealed class OutboxPendingSql
{
    public OutboxPendingSql(OutboxTable outbox)
    {
        var pending = outbox.Pending;
        var waits = $"({pending.State} = 0 or ($KEYS and {pending.State} = 2))";

        // One row at least, with the seconds until something else is due.
        Due = $"""
            /* efconcurrency outbox.due */
            with due as (
                select p.{pending.Id} as id, p.{pending.Lane} as lane, p.{pending.MessageId}, p.{pending.Key}, p.{pending.Topic}, p.{pending.Type}, p.{pending.Headers}::text,
                    p.{pending.Payload} as payload, p.{pending.CreatedAt}, null::timestamptz as due_at, null::float8 as due_in, p.{pending.Attempts} as attempts
                from {pending.Name} p
                where p.{pending.Sink} = $1 and p.{pending.Lane} = any($2) and p.{pending.State} < 2 and p.{pending.DueAt} <= clock_timestamp()
                    and (p.{pending.State} = 1 or p.{pending.Key} is null or not exists (
                        select from {pending.Name} h
                        where h.{pending.Sink} = p.{pending.Sink} and h.{pending.Key} = p.{pending.Key} and h.{pending.Id} < p.{pending.Id}
                            and ((h.{pending.State} = 0 and h.{pending.DueAt} > clock_timestamp()) or ($3 and h.{pending.State} = 2))))
                order by p.{pending.Id} limit $4)
            select
                (select (extract(epoch from min({pending.DueAt})) - extract(epoch from clock_timestamp()))::float8 from {pending.Name}
                    where {pending.Sink} = $1 and {pending.State} < 2 and {pending.DueAt} > clock_timestamp()),
                d.*
            from (values (1)) one
            left join (
                select d.*, sum(octet_length(d.payload)::bigint) over (order by d.id) - octet_length(d.payload) as bytes_before from due d
            ) d on d.bytes_before < $5
            order by d.id
            """;

        Keys = $"""
            /* efconcurrency outbox.waiting-keys */
            select distinct {pending.Key} from {pending.Name} where {pending.Sink} = $1 and {pending.Key} = any($2) and {waits.Replace("$KEYS", "$3", StringComparison.Ordinal)}
            """;

        Lanes = $"""
            /* efconcurrency outbox.waiting-lanes */
            select distinct {pending.Lane} from {pending.Name} where {pending.Sink} = $1 and {waits.Replace("$KEYS", "$2", StringComparison.Ordinal)}
            """;
    }

    /// <summary>
    /// What is due, in the order of ids: the first of a key, and those behind it only when all before them are due. Parameters: sink, lanes, whether
    /// a dead letter holds back its key, rows at most, bytes at most.
    /// </summary>
    public string Due { get; }

    /// <summary>Those of some keys that have to wait. Parameters: sink, keys, whether a dead letter holds back its key.</summary>
    public string Keys { get; }

    /// <summary>Lanes in which a key waits. Parameters: sink, whether a dead letter holds back its key.</summary>
    public string Lanes { get; }
}
