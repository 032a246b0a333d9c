using System.CommandLine;
using EfConcurrency.Idempotency;
using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Database;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Idempotency;

internal sealed class IdempotencyShowVerb : Verb
{
    private const int MostScopes = 10;

    private readonly Argument<string> _key = new("key") { Description = "The key as the caller sent it." };
    private readonly Option<string?> _scope = new("--scope") { Description = "Its scope. Needed where several have the key; also the faster question." };

    public IdempotencyShowVerb()
        : base("show", "What stands for a key. What is stored of the response is never shown.")
    {
        Add(_key);
        Add(_scope);
    }

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var key = session.Arguments.GetValue(_key)!;
        var database = await session.ConnectAsync(cancellationToken);
        var scope = session.Arguments.GetValue(_scope) ?? await FindScopeAsync(database, key, cancellationToken);
        var record = await FindAsync(database, scope, key, cancellationToken) ?? throw Unknown(key, scope);
        var row = KeyRow.Of(record, await database.ClockAsync(cancellationToken));
        session.Screen.Details(
            row,
            ("key", row.Key),
            ("scope", row.Scope),
            ("state", row.Words),
            ("attempts", $"{row.Attempts}"),
            ("claimed first", Human.Time(row.CreatedAt)),
            ("worker's time until", Human.Time(row.LockedUntil)),
            ("step begun last", row.RecoveryPoint),
            ("steps done", row.StepsDone.Count == 0 ? null : string.Join(", ", row.StepsDone)),
            ("completed", Human.Time(row.CompletedAt)),
            ("response", row.ResponseStatus is null ? null : $"{(row.ResponseStatus == 0 ? "a result" : $"status {row.ResponseStatus}")}, {(row.ResponseBytes is { } bytes ? $"{bytes} octets" : "body not kept")}"),
            ("forgotten after", Human.Time(row.ExpiresAt)));
        return ExitCode.Ok;
    }

    private static async Task<IdempotencyRecord?> FindAsync(OperatorDatabase database, string scope, string key, CancellationToken cancellationToken)
    {
        try
        {
            return await database.Context.Idempotency().FindAsync(new(scope, key), cancellationToken);
        }
        catch (InvalidIdempotencyKeyException impossible)
        {
            throw new EfcException(ExitCode.Usage, impossible.Message, impossible);
        }
    }

    private static async Task<string> FindScopeAsync(OperatorDatabase database, string key, CancellationToken cancellationToken)
    {
        var scopes = await database.Context.Set<IdempotencyRecord>()
            .Where(r => r.Key == key).OrderBy(r => r.Scope).Select(r => r.Scope).Take(MostScopes + 1).ToListAsync(cancellationToken);
        return scopes switch
        {
            [var scope] => scope,
            [] => throw Unknown(key, null),
            _ => throw new EfcException(
                ExitCode.Usage,
                $"Several scopes have this key: name one with --scope. They are {string.Join(", ", scopes.Take(MostScopes))}{(scopes.Count > MostScopes ? " and more" : "")}."),
        };
    }

    private static EfcException Unknown(string key, string? scope) => new(
        ExitCode.NotFound,
        $"There is no key '{key}'{(scope is null ? "" : $" in scope '{scope}'")}: it was never used, its transaction was rolled back or has not ended yet, or it is forgotten.");
}
