namespace EfConcurrency.Outbox;

/// <summary>The next messages of a lane's backlog, up to an id; a few bytes each.</summary>
/// <param name="places">Places in the order of ids.</param>
/// <param name="upTo">The last id that was looked at; null: all that is planned is here.</param>
internal sealed class OutboxPlan(IReadOnlyList<OutboxPlace> places, long? upTo)
{
    private int _next;

    public long? UpTo => upTo;

    public bool IsDone => _next == places.Count;

    /// <summary>The next ones of one partition, within the limits; at least one.</summary>
    public List<OutboxPlace> Take(int count, long bytes)
    {
        var page = new List<OutboxPlace>();
        for (; _next < places.Count && page.Count < count; _next++)
        {
            var place = places[_next];
            bytes -= place.Size;
            if (page.Count > 0 && (bytes < 0 || place.Slot != page[0].Slot))
            {
                break;
            }

            page.Add(place);
        }

        return page;
    }
}
