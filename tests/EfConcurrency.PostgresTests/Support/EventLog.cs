using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.PostgresTests.Support;

/// <summary>Keeps the library's events.</summary>
/// <param name="room">Only those of this room; null: all.</param>
internal sealed class EventLog(string? room = null) : ILoggerFactory, ILogger
{
    private readonly string _names = room is null ? "EfConcurrency." : $"EfConcurrency.{room}.";
    private readonly ConcurrentQueue<(int Id, string Text)> _entries = new();

    public IEnumerable<(int Id, string Text)> Entries => _entries;

    public IEnumerable<int> Ids => _entries.Select(e => e.Id);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Name?.StartsWith(_names, StringComparison.Ordinal) == true)
        {
            var text = formatter(state, exception);
            Assert.NotEmpty(text);
            _entries.Enqueue((eventId.Id, text));
        }
    }

    public void Dispose()
    {
    }
}
