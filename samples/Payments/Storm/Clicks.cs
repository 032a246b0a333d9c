using System.Collections.Concurrent;
using System.Net;

namespace Payments.Storm;

/// <summary>Impatient clients: each operation is sent up to three times at once, to any server; some hang up before the answer; all repeat until they have one.</summary>
internal sealed class Clicks(IReadOnlyList<ServerProcess> servers) : IDisposable
{
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(15) };
    private int _sent;
    private int _hungUp;
    private int _replays;
    private int _unanswered;

    /// <summary>All final answers to each operation: status and octets.</summary>
    public ConcurrentDictionary<string, ConcurrentBag<string>> Answers { get; } = new();

    public int Sent => _sent;

    public int HungUp => _hungUp;

    public int Replays => _replays;

    /// <summary>Requests that ended without a final answer: a connection cut by a kill, a 409, a 503.</summary>
    public int Unanswered => _unanswered;

    public Task WithdrawAsync(Random random, string key, int account, decimal amount, CancellationToken cancellationToken)
        => SendAllAsync(random, key, $"/accounts/{account}/withdraw", new { amount, reference = key }, $"Customer customer-{account}", cancellationToken);

    public Task PayInAsync(Random random, string eventId, int account, decimal amount, CancellationToken cancellationToken)
        => SendAllAsync(random, eventId, "/webhooks/provider", new { id = eventId, accountId = account, amount }, authorization: null, cancellationToken);

    public void Dispose() => _http.Dispose();

    private Task SendAllAsync(Random random, string key, string path, object body, string? authorization, CancellationToken cancellationToken)
        => Task.WhenAll(Enumerable.Range(0, 1 + random.Next(3)).Select(_ => SendAsync(new Random(random.Next()), key, path, body, authorization, cancellationToken)));

    private async Task SendAsync(Random random, string key, string path, object body, string? authorization, CancellationToken cancellationToken)
    {
        while (true)
        {
            Interlocked.Increment(ref _sent);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (random.Next(8) == 0)
            {
                patience.CancelAfter(random.Next(1, 15));
            }

            try
            {
                if (await AnswerAsync(random, key, path, body, authorization, patience.Token) is { } answer)
                {
                    Answers.GetOrAdd(key, _ => []).Add(answer);
                    return;
                }

                Interlocked.Increment(ref _unanswered);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                Interlocked.Increment(ref _hungUp);
            }
            catch (HttpRequestException)
            {
                Interlocked.Increment(ref _unanswered);
            }

            await Task.Delay(random.Next(20, 200), cancellationToken);
        }
    }

    private async Task<string?> AnswerAsync(Random random, string key, string path, object body, string? authorization, CancellationToken cancellationToken)
    {
        var server = servers[random.Next(servers.Count)];
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Address, path)) { Content = JsonContent.Create(body) };
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
            request.Headers.TryAddWithoutValidation("Idempotency-Key", $"\"{key}\"");
        }

        using var response = await _http.SendAsync(request, cancellationToken);
        var octets = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        if (response.StatusCode is HttpStatusCode.Conflict or >= HttpStatusCode.InternalServerError)
        {
            return null;
        }

        if (response.Headers.Contains("Idempotency-Replayed"))
        {
            Interlocked.Increment(ref _replays);
        }

        return $"{(int)response.StatusCode} {Convert.ToBase64String(octets)}";
    }
}
