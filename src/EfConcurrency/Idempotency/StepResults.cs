using System.Text.Json;
using System.Text.Json.Nodes;

namespace EfConcurrency.Idempotency;

/// <summary>The results of the steps that are done: a JSON object, in which each is wrapped so that a protected one can be told from a plain one.</summary>
internal sealed class StepResults
{
    private const string Plain = "value";
    private const string Protected = "protected";
    private const string ProtectedBy = "by";

    private readonly JsonObject _done;
    private readonly IdempotencyKey _key;
    private readonly IdempotencyOptions _options;

    public StepResults(string? recoveryData, IdempotencyKey key, IdempotencyOptions options)
    {
        _done = recoveryData is null ? [] : JsonNode.Parse(recoveryData)!.AsObject();
        _key = key;
        _options = options;
    }

    public bool Contains(string step) => _done.ContainsKey(step);

    /// <summary>The result of a step that is done.</summary>
    public T Read<T>(string step)
    {
        var wrapped = _done[step]!.AsObject();
        if (wrapped[Protected] is not { } secret)
        {
            return wrapped[Plain].Deserialize<T>(_options.Json)!;
        }

        var by = (string)wrapped[ProtectedBy]!;
        var protector = _options.Protector
            ?? throw new IdempotencyNotPossibleException($"The stored results of the steps of idempotency key {_key} are protected ('{by}'). Set IdempotencyOptions.Protector to what protected them.");
        return JsonSerializer.Deserialize<T>(protector.Unprotect(Convert.FromBase64String((string)secret!), _key.AssociatedData(), by), _options.Json)!;
    }

    /// <summary>What is stored of a result.</summary>
    public static string Write<T>(T result, IdempotencyKey key, IdempotencyOptions options)
    {
        var wrapped = options.Protector is { } protector
            ? new JsonObject
            {
                [Protected] = Convert.ToBase64String(protector.Protect(JsonSerializer.SerializeToUtf8Bytes(result, options.Json), key.AssociatedData())),
                [ProtectedBy] = protector.ProtectionKeyId,
            }
            : new JsonObject { [Plain] = JsonSerializer.SerializeToNode(result, options.Json) };
        return wrapped.ToJsonString();
    }

    public void Add(string step, string written) => _done[step] = JsonNode.Parse(written);
}
