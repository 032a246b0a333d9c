namespace EfConcurrency.Outbox;

/// <summary>Changes as columns, for unnest.</summary>
internal static class OutboxChangeColumns
{
    public static IEnumerable<object> Of(OutboxChanges changes)
    {
        var parking = changes.Parking;
        var changing = changes.Changing;
        return
        [
            parking.Select(p => p.Message.Id).ToArray(),
            parking.Select(p => p.Message.Lane).ToArray(),
            parking.Select(p => p.Message.MessageId).ToArray(),
            parking.Select(p => p.Message.Key).ToArray(),
            parking.Select(p => p.Message.Topic).ToArray(),
            parking.Select(p => p.Message.Type).ToArray(),
            parking.Select(p => p.Message.Headers).ToArray(),
            parking.Select(p => p.Message.Payload).ToArray(),
            parking.Select(p => p.Message.CreatedAt).ToArray(),

            // A delayed message has its own time; all others wait from now on.
            parking.Select(p => p.State == OutboxPendingState.Delayed ? p.Message.DueAt : null).ToArray(),
            parking.Select(p => p.Delay.TotalSeconds).ToArray(),
            parking.Select(p => p.Attempts).ToArray(),
            parking.Select(p => p.Error).ToArray(),
            parking.Select(p => (short)p.State).ToArray(),
            changing.Select(c => c.Message.Id).ToArray(),
            changing.Select(c => c.Message.Lane).ToArray(),
            changing.Select(c => c.Delay.TotalSeconds).ToArray(),
            changing.Select(c => c.Attempts).ToArray(),
            changing.Select(c => c.Error).ToArray(),
            changing.Select(c => (short)c.State).ToArray(),
            changes.Done.Select(m => m.Id).ToArray(),
            changes.Done.Select(m => m.Lane).ToArray(),
        ];
    }
}
