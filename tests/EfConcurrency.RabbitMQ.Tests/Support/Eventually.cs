namespace EfConcurrency.RabbitMQ.Tests.Support;

/// <summary>Waits for what must come, and gives up after two minutes.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static Task IsTrueAsync(Func<bool> condition) => IsTrueAsync(() => Task.FromResult(condition()));

    public static async Task IsTrueAsync(Func<Task<bool>> condition)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Patience);
        while (!await condition())
        {
            await Task.Delay(20, deadline.Token);
        }
    }

    public static Task<T> ComesAsync<T>(Task<T> task) => task.WaitAsync(Patience, TestContext.Current.CancellationToken);

    public static Task ComesAsync(Task task) => task.WaitAsync(Patience, TestContext.Current.CancellationToken);
}
