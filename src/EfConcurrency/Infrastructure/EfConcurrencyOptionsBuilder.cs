using EfConcurrency.Messaging;
using EfConcurrency.Outbox;
using EfConcurrency.WriteEnvelope;

namespace EfConcurrency.Infrastructure;

/// <summary>Settings of <c>UseEfConcurrency</c>.</summary>
public sealed class EfConcurrencyOptionsBuilder
{
    private EfConcurrencyOptions _options;

    internal EfConcurrencyOptionsBuilder(EfConcurrencyOptions options) => _options = options;

    internal EfConcurrencyOptions Options => _options;

    /// <summary>Who refuses a save of several statements when a check fails.</summary>
    /// <param name="mode">The default is <see cref="ServerJudgedSaves.WhenAvailable"/>.</param>
    /// <param name="maxStatements">
    /// Up to how many statements the server judges a save; larger ones go in a transaction. The default, 8, is right on one machine;
    /// the longer the way to the database, the higher it may be (a round trip of 1 ms outweighs some 100 statements).
    /// </param>
    /// <returns>This builder.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxStatements"/> is below 2.</exception>
    public EfConcurrencyOptionsBuilder UseServerJudgedSaves(ServerJudgedSaves mode, int maxStatements = 8)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxStatements, 2);
        _options = _options with { ServerJudged = mode, MaxJudgedStatements = maxStatements };
        return this;
    }

    /// <summary>Schema in which migrations create the library's functions.</summary>
    /// <param name="schema">An unquoted name. The default is <c>efc</c>.</param>
    /// <returns>This builder.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public EfConcurrencyOptionsBuilder UseSchema(string schema)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(schema);
        _options = _options with { Schema = schema };
        return this;
    }

    /// <summary>Makes every property of one of these names the version column of its entity, if its type allows it. Off by default.</summary>
    /// <param name="propertyNames">For example <c>"Version"</c>.</param>
    /// <returns>This builder.</returns>
    public EfConcurrencyOptionsBuilder UseVersionsByName(params string[] propertyNames)
    {
        ArgumentNullException.ThrowIfNull(propertyNames);
        _options = _options with { VersionPropertyNames = [.. propertyNames] };
        return this;
    }

    /// <summary>Names the messages that the context may enqueue and handle. None by default.</summary>
    /// <param name="configure">Adds the contracts.</param>
    /// <returns>This builder.</returns>
    public EfConcurrencyOptionsBuilder UseMessages(Action<MessageContractsBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var builder = new MessageContractsBuilder();
        configure(builder);
        _options = _options with { Messages = builder.Build() };
        return this;
    }

    /// <summary>Changes what messages are given on their way into the outbox, and how large they may be. The defaults: <see cref="OutboxEnqueueOptions"/>.</summary>
    /// <param name="configure">Changes the options.</param>
    /// <returns>This builder.</returns>
    /// <exception cref="ArgumentException">The source is not a URI reference.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The limit of the payload is out of its range.</exception>
    public EfConcurrencyOptionsBuilder UseOutbox(Action<OutboxEnqueueOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new OutboxEnqueueOptions();
        configure(options);
        _options = _options with { Outbox = OutboxSettings.From(options) };
        return this;
    }
}
