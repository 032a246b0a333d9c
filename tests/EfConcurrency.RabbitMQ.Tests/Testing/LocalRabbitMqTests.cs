using System.Diagnostics;
using EfConcurrency.Testing;
using RabbitMQ.Client;

namespace EfConcurrency.RabbitMQ.Tests.Testing;

/// <summary>A broker of our own: several at a time, killed and started again on its data, and nothing is left of it.</summary>
public sealed class LocalRabbitMqTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_broker_keeps_what_it_confirmed_and_its_address()
    {
        await using var broker = await LocalRabbitMq.StartAsync(cancellationToken: Token);
        await PublishAsync(broker);
        await broker.KillAsync(Token);
        await Assert.ThrowsAnyAsync<Exception>(() => ConnectAsync(broker));
        await broker.StartAgainAsync(Token);
        Assert.Equal(1u, await CountAsync(broker));
        await broker.RestartAsync(Token);
        Assert.Equal(1u, await CountAsync(broker));
    }

    [Fact]
    public async Task Brokers_run_beside_each_other_and_know_nothing_of_each_other()
    {
        var brokers = await Task.WhenAll(LocalRabbitMq.StartAsync(cancellationToken: Token), LocalRabbitMq.StartAsync(cancellationToken: Token));
        await PublishAsync(brokers[0]);
        await using (var connection = await ConnectAsync(brokers[1]))
        await using (var channel = await connection.CreateChannelAsync(cancellationToken: Token))
        {
            await Assert.ThrowsAnyAsync<Exception>(() => channel.QueueDeclarePassiveAsync("q", Token));
        }

        await brokers[0].DisposeAsync();
        await using (await ConnectAsync(brokers[1]))
        {
        }

        await brokers[1].DisposeAsync();
        foreach (var broker in brokers)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => ConnectAsync(broker));
            Assert.DoesNotContain(Process.GetProcessesByName("beam.smp"), p => CommandLine(p).Contains($":{broker.Uri.Port}", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_setting_that_is_wrong_is_told()
    {
        var options = new LocalRabbitMqOptions { Settings = new Dictionary<string, string> { ["no.such.setting"] = "1" } };
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => LocalRabbitMq.StartAsync(options, Token));
        Assert.Contains("no.such.setting", failure.Message, StringComparison.Ordinal);
    }

    private static string CommandLine(Process process)
    {
        var file = $"/proc/{process.Id}/cmdline";
        return File.Exists(file) ? File.ReadAllText(file) : "";
    }

    private static async Task PublishAsync(LocalRabbitMq broker)
    {
        await using var connection = await ConnectAsync(broker);
        await using var channel = await connection.CreateChannelAsync(new(true, true), Token);
        await channel.QueueDeclareAsync("q", durable: true, exclusive: false, autoDelete: false, cancellationToken: Token);
        await channel.BasicPublishAsync("", "q", mandatory: true, new BasicProperties { Persistent = true }, new byte[10], Token);
    }

    private static async Task<uint> CountAsync(LocalRabbitMq broker)
    {
        await using var connection = await ConnectAsync(broker);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Token);
        return await channel.MessageCountAsync("q", Token);
    }

    private static Task<IConnection> ConnectAsync(LocalRabbitMq broker)
        => new ConnectionFactory { Uri = broker.Uri, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(Token);
}
