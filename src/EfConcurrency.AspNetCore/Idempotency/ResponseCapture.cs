using System.IO.Pipelines;
using EfConcurrency.Idempotency;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>
/// Holds back what the handler sends: the octets as they would go over the wire, whatever made them. They are sent when the work is committed.
/// </summary>
internal sealed class ResponseCapture : IHttpResponseBodyFeature, IAsyncDisposable
{
    /// <summary>From here on the body goes to a temporary file.</summary>
    private const int MemoryLimit = 1024 * 1024;

    private readonly HttpContext _context;
    private readonly IHttpResponseBodyFeature _wire;
    private readonly IHttpResponseTrailersFeature? _trailers;
    private readonly IHttpUpgradeFeature? _upgrade;
    private readonly IHttpExtendedConnectFeature? _connect;
    private readonly int _status;
    private readonly Dictionary<string, StringValues> _headers;
    private FileBufferingWriteStream _body = new(MemoryLimit);
    private PipeWriter? _writer;
    private byte[]? _kept;
    private string? _refusal;

    public ResponseCapture(HttpContext context)
    {
        _context = context;
        _wire = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        _trailers = context.Features.Get<IHttpResponseTrailersFeature>();
        _upgrade = context.Features.Get<IHttpUpgradeFeature>();
        _connect = context.Features.Get<IHttpExtendedConnectFeature>();
        _status = context.Response.StatusCode;
        _headers = new(context.Response.Headers, StringComparer.OrdinalIgnoreCase);
        context.Features.Set<IHttpResponseBodyFeature>(this);

        // What can't be replayed is not offered.
        context.Features.Set<IHttpResponseTrailersFeature>(null);
        context.Features.Set<IHttpUpgradeFeature>(null);
        context.Features.Set<IHttpExtendedConnectFeature>(null);
    }

    public Stream Stream => _body;

    public PipeWriter Writer => _writer ??= PipeWriter.Create(_body, new(leaveOpen: true));

    public void DisableBuffering() => throw Refuse("it streams its response");

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
        => SendFileFallback.SendFileAsync(_body, path, offset, count, cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task CompleteAsync() => Task.CompletedTask;

    /// <summary>Forgets what an attempt has sent that was rolled back and is made again.</summary>
    public async Task StartAnewAsync()
    {
        await _body.DisposeAsync().ConfigureAwait(false);
        _body = new(MemoryLimit);
        (_writer, _kept, _refusal) = (null, null, null);
        _context.Response.StatusCode = _status;
        _context.Response.Headers.Clear();
        foreach (var (name, value) in _headers)
        {
            _context.Response.Headers[name] = value;
        }
    }

    /// <summary>The response as it is kept.</summary>
    /// <exception cref="IdempotentResponseException">The response is none that can be replayed; also when the handler swallowed the refusal.</exception>
    public async Task<IdempotentResponse> ReadAsync(IdempotentEndpoint endpoint)
    {
        var response = _context.Response;
        if (_writer is not null)
        {
            await _writer.CompleteAsync().ConfigureAwait(false);
        }

        if (_refusal is not null || response.ContentType?.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) == true)
        {
            throw Refuse(_refusal ?? "it sends server-sent events");
        }

        if (response.Headers.ContainsKey("Trailer"))
        {
            throw Refuse("it declares trailers");
        }

        var headers = response.Headers.Where(h => endpoint.ReplayedHeaders.Contains(h.Key)).SelectMany(h => h.Value, (h, value) => KeyValuePair.Create(h.Key, value ?? "")).ToList();
        if (!endpoint.Storage.StoreBody || _body.Length > endpoint.Storage.MaxStoredBytes)
        {
            return new(response.StatusCode, default, headers) { IsBodyOmitted = true };
        }

        var copy = new MemoryStream((int)_body.Length);
        await _body.DrainBufferAsync(copy, CancellationToken.None).ConfigureAwait(false);
        _kept = copy.ToArray();
        return new(response.StatusCode, _kept, headers);
    }

    /// <summary>Sends what was held back. To a client that is gone the server sends nothing, without an error.</summary>
    public async Task SendAsync()
    {
        Restore();
        var response = _context.Response;
        if (!HasBody(response.StatusCode))
        {
            // Kestrel takes even an empty write for a mistake, and closes the connection.
            return;
        }

        response.ContentLength = _kept?.Length ?? _body.Length;
        await (_kept is null ? _body.DrainBufferAsync(response.Body, CancellationToken.None) : response.Body.WriteAsync(_kept, CancellationToken.None).AsTask()).ConfigureAwait(false);
    }

    /// <summary>Gives the response back to the server.</summary>
    public void Restore()
    {
        _context.Features.Set(_wire);
        _context.Features.Set(_trailers);
        _context.Features.Set(_upgrade);
        _context.Features.Set(_connect);
    }

    public ValueTask DisposeAsync() => _body.DisposeAsync();

    public static bool HasBody(int status) => status is not (< 200 or StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified);

    private IdempotentResponseException Refuse(string what)
    {
        _refusal = what;
        return new(what);
    }
}
