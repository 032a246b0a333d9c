namespace EfConcurrency.Benchmarks.Idempotency;

/// <summary>A POST with one EF update behind it, with and without <c>WithIdempotency()</c>. Server and client are in this process, so the client's time and allocations are in all rows.</summary>
internal sealed class HttpBenchmark(IdempotencyDatabase database)
{
    public Task RunAsync(int connections) => database.MeasureAsync("POST over HTTP", connections, async (set, connectionString, count) =>
    {
        var plain = set.Keep(await BenchServer.StartAsync(connectionString, withLibrary: false));
        var library = set.Keep(await BenchServer.StartAsync(connectionString, withLibrary: true));
        for (var id = 1; id <= count; id++)
        {
            await library.PostAsync($"/{id}/keyed", id, $"replay:{id}");
        }

        Add("bare endpoint, UseEfConcurrency()", id => library.PostAsync($"/{id}/bare", id));
        Add("bare endpoint, EF as it comes", id => plain.PostAsync($"/{id}/bare", id));
        Add("WithIdempotency(), a new key each", id => library.PostAsync($"/{id}/keyed", id, NewKeyBenchmark.NewKey()));
        Add("WithIdempotency(), replay", id => library.PostAsync($"/{id}/keyed", id, $"replay:{id}", isReplay: true));
        Add("by hand in the handler, a new key each, EF as it comes", id => plain.PostAsync($"/{id}/by-hand", id, NewKeyBenchmark.NewKey()));
        Add("an endpoint that does nothing", id => plain.PostAsync($"/{id}/nothing", id));

        void Add(string name, Func<int, Task> operation) => set.All.Add(new(name, [.. Enumerable.Range(1, count).Select(id => (Func<Task>)(() => operation(id)))]));
    });
}
