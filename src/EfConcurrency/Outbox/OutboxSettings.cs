namespace EfConcurrency.Outbox;

/// <summary><see cref="OutboxEnqueueOptions"/> as they were configured.</summary>
internal sealed record OutboxSettings(string Source, bool CloudEvents, int MaxPayloadBytes)
{
    private const int LargestPayload = 64 * 1024 * 1024;

    public static readonly OutboxSettings Default = From(new());

    public static OutboxSettings From(OutboxEnqueueOptions options)
    {
        if (string.IsNullOrEmpty(options.Source) || !Uri.IsWellFormedUriString(options.Source, UriKind.RelativeOrAbsolute))
        {
            throw new ArgumentException($"OutboxEnqueueOptions.Source is '{options.Source}', which is not a URI reference. Use something like '/shop/orders'.", nameof(options));
        }

        if (options.MaxPayloadBytes is < 1 or > LargestPayload)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.MaxPayloadBytes, $"OutboxEnqueueOptions.MaxPayloadBytes must be 1 to {LargestPayload}. Larger content belongs into a table, and its address into the message.");
        }

        return new(options.Source, options.CloudEvents, options.MaxPayloadBytes);
    }
}
