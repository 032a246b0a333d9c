using NpgsqlTypes;

namespace EfConcurrency.Outbox;

/// <summary>Where a message of a backlog is. Rows of the log never move by themselves.</summary>
internal readonly record struct OutboxPlace(long Id, short Slot, NpgsqlTid Tid, int Size);
