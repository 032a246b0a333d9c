namespace EfConcurrency.Outbox;

/// <summary>Keys of which a message has failed in one call of the transport, which then must not have sent later ones of the key.</summary>
internal sealed class OutboxFailedKeys
{
    private readonly HashSet<string> _holding = new(StringComparer.Ordinal);
    private readonly HashSet<string> _passed = new(StringComparer.Ordinal);

    public void Add(string? key, bool holds)
    {
        if (key is not null)
        {
            _ = holds ? _holding.Add(key) : _passed.Add(key);
        }
    }

    /// <summary>Whether later ones of the key have to wait behind the one that failed.</summary>
    public bool Hold(string? key) => key is not null && _holding.Contains(key);

    /// <summary>Whether later ones of the key were only left because of one that is a dead letter now: they are sent at once.</summary>
    public bool LetPass(string? key) => key is not null && _passed.Contains(key);
}
