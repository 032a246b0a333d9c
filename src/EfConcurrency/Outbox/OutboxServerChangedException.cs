namespace EfConcurrency.Outbox;

/// <summary>Behind a pooler the connection stayed and the server did not: what is remembered of snapshots is void.</summary>
internal sealed class OutboxServerChangedException() : InvalidOperationException("The server's timeline has changed: another server answers now. The dispatcher starts again from its cursors.");
