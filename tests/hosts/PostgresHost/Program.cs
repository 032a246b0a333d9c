using EfConcurrency.Testing;

// Starts a throwaway server, says how to reach it, and waits to be ended: by its input, by a signal, or by being killed.
await using var server = await LocalPostgres.StartAsync();
Console.WriteLine(server.ConnectionString);
await Console.In.ReadLineAsync();
