using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace EfConcurrency.Idempotency;

/// <summary>
/// Keys that this process has lately seen completed. They are looked for before anything is claimed: a replay then is one round trip, where
/// a claim that finds the key completed needs a second, for ROLLBACK (the server has no conditional end of a transaction). It only chooses
/// the order of questions; what it forgets, or never knew, costs that round trip.
/// </summary>
internal static class IdempotencyMemory
{
    private const int Slots = 1 << 14;

    private static readonly long[] Seen = new long[Slots];

    public static bool Contains(IdempotencyCall call)
    {
        var print = Print(call);
        return Volatile.Read(ref Seen[print & (Slots - 1)]) == print;
    }

    public static void Add(IdempotencyCall call)
    {
        var print = Print(call);
        Volatile.Write(ref Seen[print & (Slots - 1)], print);
    }

    public static void Clear() => Array.Clear(Seen);

    private static long Print(IdempotencyCall call)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{call.Connection.DataSource}\u001f{call.Connection.Database}\u001f{call.Table.Name}\u001f{call.Key.Scope}\u001f{call.Key.Key}"), hash);
        return BinaryPrimitives.ReadInt64LittleEndian(hash);
    }
}
