using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.RabbitMQ;

/// <summary>
/// Instruments and spans, named by OpenTelemetry's conventions for messaging (https://opentelemetry.io/docs/specs/semconv/messaging/), on the library's meter and source.
/// </summary>
internal static class RabbitMqMeter
{
    public const string System = "messaging.system";
    public const string OperationName = "messaging.operation.name";
    public const string OperationType = "messaging.operation.type";
    public const string Destination = "messaging.destination.name";
    public const string Outcome = "efconcurrency.outcome";
    public const string ErrorType = "error.type";

    private static readonly string Version =
        typeof(RabbitMqMeter).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static readonly ActivitySource Activities = new(EfConcurrencyDiagnostics.ActivitySourceName, Version);

    private static readonly Meter Meter = new(EfConcurrencyDiagnostics.MeterName, Version);

    private static readonly Counter<long> Sent = Meter.CreateCounter<long>(
        "messaging.client.sent.messages", "{message}", "Messages that were published, by error.type when they were not confirmed.");

    private static readonly Histogram<double> Sending = Meter.CreateHistogram<double>(
        "messaging.client.operation.duration", "s", "Time to publish a slice of messages until the last was confirmed.");

    private static readonly Counter<long> Consumed = Meter.CreateCounter<long>(
        "messaging.client.consumed.messages", "{message}", "Deliveries that were answered, by how.");

    private static readonly Histogram<double> Processing = Meter.CreateHistogram<double>(
        "messaging.process.duration", "s", "Time of one attempt to handle a delivery.");

    private static readonly Counter<long> Reconnects = Meter.CreateCounter<long>(
        "efconcurrency.rabbitmq.connects", "{attempt}", "Attempts to connect to the broker, by how they ended.");

    private static readonly UpDownCounter<long> InFlight = Meter.CreateUpDownCounter<long>(
        "efconcurrency.rabbitmq.deliveries", "{message}", "Deliveries in this process: handled, waiting for their key, or for another try.");

    public static void Published(string exchange, string? error)
        => Sent.Add(1, error is null ? [.. Base("send", exchange)] : [.. Base("send", exchange), new(ErrorType, error)]);

    public static void PublishedSlice(string exchange, TimeSpan duration, string? error)
        => Sending.Record(duration.TotalSeconds, error is null ? [.. Base("send", exchange)] : [.. Base("send", exchange), new(ErrorType, error)]);

    public static void Answered(string queue, string outcome) => Consumed.Add(1, [.. Base("process", queue), new(Outcome, outcome)]);

    public static void Processed(string queue, TimeSpan duration, string outcome) => Processing.Record(duration.TotalSeconds, [.. Base("process", queue), new(Outcome, outcome)]);

    public static void Connect(string connection, bool succeeded)
        => Reconnects.Add(1, new("efconcurrency.rabbitmq.connection", connection), new(Outcome, succeeded ? "connected" : "failed"));

    public static void InProcess(string queue, int change) => InFlight.Add(change, new KeyValuePair<string, object?>(Destination, queue));

    private static KeyValuePair<string, object?>[] Base(string operation, string destination)
        => [new(System, "rabbitmq"), new(OperationName, operation), new(Destination, destination)];
}
