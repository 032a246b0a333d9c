namespace EfConcurrency.Tool.Run;

/// <summary>What a command runs under. Disposing it without <see cref="EndAsync"/> gives it back.</summary>
internal interface IWorkClaim : IAsyncDisposable
{
    /// <summary>For the command: what it holds, and the token. Null takes a variable out.</summary>
    IReadOnlyDictionary<string, string?> Environment { get; }

    /// <summary>Cancelled when it is not ours any more, or may not be.</summary>
    CancellationToken Lost { get; }

    /// <summary>What was lost, and how, for people.</summary>
    string Loss { get; }

    /// <summary>The command has ended; whether it was ours until then.</summary>
    Task<bool> EndAsync(int exitCode);
}
