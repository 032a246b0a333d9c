namespace EfConcurrency.Outbox;

/// <summary>Gives a slice to the transport, and makes of the answers what becomes of each message.</summary>
internal sealed class OutboxSender(IOutboxTransport transport, OutboxHealth health, OutboxDispatcherOptions options, OutboxReport report, TimeProvider time)
{
    /// <summary>Sends; a failure of the transport as such is in the result, with the answers that came before it.</summary>
    /// <param name="messages">In the order of ids.</param>
    /// <param name="stopping">Ends the wait for a transport that is down.</param>
    /// <param name="cancellationToken">The lane is not ours any more, or the process must end now.</param>
    /// <exception cref="OperationCanceledException">A token was cancelled.</exception>
    public async Task<(SendResult[] Results, bool IsDown)> SendAsync(IReadOnlyList<LoggedMessage> messages, CancellationToken stopping, CancellationToken cancellationToken)
    {
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellationToken))
        {
            await health.WaitAsync(either.Token).ConfigureAwait(false);
        }

        var results = new SendResult[messages.Count];
        var envelopes = messages.Select(m => m.ToEnvelope()).ToArray();
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(options.SendTimeout);
        using var span = report.Sending(envelopes);
        var startedAt = time.GetTimestamp();
        try
        {
            await transport.SendAsync(envelopes, results, limited.Token).ConfigureAwait(false);
            health.Succeeded();
            span.Sent(time.GetElapsedTime(startedAt), failure: null);
            return (results, IsDown: false);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            failure = failure is OperationCanceledException
                ? new TimeoutException($"The transport '{transport.Sink}' did not send {messages.Count} messages within {options.SendTimeout} (OutboxDispatcherOptions.SendTimeout).", failure)
                : failure;
            health.Failed(failure);
            span.Sent(time.GetElapsedTime(startedAt), failure);
            return (results, IsDown: true);
        }
    }
}
