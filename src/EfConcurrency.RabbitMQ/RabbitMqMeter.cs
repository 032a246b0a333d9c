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

    /// <summary>As the library's other durations; the boundaries that OpenTelemetry recommends for messaging are among them.</summary>
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 30, 60],
    };

    private static readonly Counter<long> Sent = Meter.CreateCounter<long>(
        "messaging.client.sent.messages", "{message}", "Messages that were published, by error.type when they were not confirmed.");

    private static readonly Histogram<double> Sending = Meter.CreateHistogram(
        "messaging.client.operation.duration", "s", "Time to publish a slice of messages until the last was confirmed.", advice: Seconds);

    private static readonly Counter<long> Consumed = Meter.CreateCounter<long>(
        "messaging.client.consumed.messages", "{message}", "Deliveries that were answered, by how.");

    private static readonly Histogram<double> Processing = Meter.CreateHistogram(
        "messaging.process.duration", "s", "Time of one attempt to handle a delivery.", advice: Seconds);

    private static readonly Counter<long> Connects = Meter.CreateCounter<long>(
        "efconcurrency.rabbitmq.connects", "{attempt}", "Attempts to connect to the broker, by how they ended.");

    private static readonly UpDownCounter<long> InFlight = Meter.CreateUpDownCounter<long>(
        "efconcurrency.rabbitmq.delivery.count", "{message}", "Deliveries in this process: handled, waiting for their key, or for another try.");

    public static void Published(string exchange, string? error)
        => Sent.Add(1, error is null ? [.. Base("send", exchange)] : [.. Base("send", exchange), new(ErrorType, error)]);

    public static void PublishedSlice(string exchange, TimeSpan duration, string? error)
        => Sending.Record(duration.TotalSeconds, error is null ? [.. Base("send", exchange)] : [.. Base("send", exchange), new(ErrorType, error)]);

    /// <param name="queue">Where it came from.</param>
    /// <param name="outcome"><c>handled</c>, <c>duplicate</c> or <c>dead</c>.</param>
    /// <param name="error">Why it is a dead letter: <c>attempts</c>, <c>rejected</c> or <c>deliveries</c>.</param>
    public static void Answered(string queue, string outcome, string? error = null)
        => Consumed.Add(1, error is null ? [.. Base("process", queue), new(Outcome, outcome)] : [.. Base("process", queue), new(Outcome, outcome), new(ErrorType, error)]);

    /// <param name="queue">Where it came from.</param>
    /// <param name="duration">Of the attempt.</param>
    /// <param name="outcome"><c>handled</c>, <c>duplicate</c>, <c>failed</c>, <c>rejected</c> or <c>cancelled</c>.</param>
    /// <param name="error">For <c>failed</c> and <c>rejected</c>.</param>
    public static void Processed(string queue, TimeSpan duration, string outcome, Exception? error)
        => Processing.Record(
            duration.TotalSeconds,
            error is null ? [.. Base("process", queue), new(Outcome, outcome)] : [.. Base("process", queue), new(Outcome, outcome), new(ErrorType, error.GetType().FullName)]);

    public static void Connect(string connection, bool succeeded)
        => Connects.Add(1, new("efconcurrency.rabbitmq.connection", connection), new(Outcome, succeeded ? "connected" : "failed"));

    public static void InProcess(string queue, int change) => InFlight.Add(change, new KeyValuePair<string, object?>(Destination, queue));

    private static KeyValuePair<string, object?>[] Base(string operation, string destination)
        => [new(System, "rabbitmq"), new(OperationName, operation), new(Destination, destination)];
}
