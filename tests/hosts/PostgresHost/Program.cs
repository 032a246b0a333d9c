using EfConcurrency.Testing;

// Starts a throwaway server (and, with the argument "standby", one that follows it), says how to reach it, and waits to be ended: by its input, by a signal, or by being killed.
await using var server = await LocalPostgres.StartAsync();
await using var standby = args is ["standby"] ? await server.StartStandbyAsync() : null;
Console.WriteLine(server.ConnectionString);
if (standby is not null)
{
    Console.WriteLine(standby.ConnectionString);
}

await Console.In.ReadLineAsync();
