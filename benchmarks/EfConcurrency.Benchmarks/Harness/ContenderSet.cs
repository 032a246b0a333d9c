using EfConcurrency.Testing;

namespace EfConcurrency.Benchmarks.Harness;

/// <summary>Contenders with what they need while they run.</summary>
internal sealed class ContenderSet(TestDatabase database, FaultProxy? proxy) : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _kept = [];

    public List<Contender> All { get; } = [];

    public FaultProxy? Proxy => proxy;

    public T Keep<T>(T needed)
        where T : IAsyncDisposable
    {
        _kept.Add(needed);
        return needed;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var needed in Enumerable.Reverse(_kept))
        {
            await needed.DisposeAsync();
        }

        if (proxy is not null)
        {
            await proxy.DisposeAsync();
        }

        await database.DisposeAsync();
    }
}
