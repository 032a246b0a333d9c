using EfConcurrency.Idempotency;
using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace IdempotencyHost;

/// <summary>Repeats each operation until it is told the result, and says so: <c>ack KEY RECEIPT</c>.</summary>
internal static class Client
{
    /// <summary>One operation, once, for each key on the input. By then the process is warm: the next statements are those of the operation.</summary>
    public static async Task ServeAsync(string connectionString, Mode mode)
    {
        await Operation.RunAsync(connectionString, mode, $"warm {Environment.ProcessId}", withKey: true);
        Console.WriteLine("ready");
        while (await Console.In.ReadLineAsync() is { } key)
        {
            try
            {
                Acknowledge(key, await Operation.RunAsync(connectionString, mode, key, withKey: true));
            }
            catch (Exception exception)
            {
                // Whatever it failed with, what is judged are the effects, and what the next one is told.
                Console.WriteLine($"failed|{key}|{exception.GetType().Name}");
            }
        }
    }

    /// <summary>All operations, in an order of its own.</summary>
    public static async Task StormAsync(string connectionString, int keys, int workers, bool withKey)
    {
        var order = Enumerable.Range(0, keys).ToArray();
        Random.Shared.Shuffle(order);
        var next = -1;
        Console.WriteLine("ready");
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var i && i < keys)
            {
                await UntilDoneAsync(connectionString, (Mode)(order[i] % 3), $"key {order[i]}", withKey);
            }
        })));
        Console.WriteLine("done");
    }

    private static async Task UntilDoneAsync(string connectionString, Mode mode, string key, bool withKey)
    {
        while (true)
        {
            try
            {
                Acknowledge(key, await Operation.RunAsync(connectionString, mode, key, withKey));
                return;
            }
            catch (Exception exception) when (MayTryAgain(exception))
            {
                await Task.Delay(20);
            }
        }
    }

    /// <summary>What a client does with a lost connection, a 409 or a 503.</summary>
    private static bool MayTryAgain(Exception exception)
        => exception is NpgsqlException or IdempotencyInProgressException or IdempotencyClaimLostException or CommitOutcomeUnknownException or DbUpdateException or InvalidOperationException { InnerException: NpgsqlException };

    private static void Acknowledge(string key, Receipt receipt) => Console.WriteLine($"ack|{key}|{receipt.Number}");
}
