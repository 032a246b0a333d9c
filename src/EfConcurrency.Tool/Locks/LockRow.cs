using EfConcurrency.AdvisoryLocks;

namespace EfConcurrency.Tool.Locks;

/// <summary>A lock and one who holds it, as it is shown.</summary>
internal sealed record LockRow(
    string? Name, string Key, string Mode, int Pid, string? Application, string? Role, string? Client, string? State, double? HeldSeconds, int Waiting, double? LongestWaitSeconds, string? Statement)
{
    public string Lock => Name ?? Key;

    public static LockRow Of(AdvisoryLockHolder holder, DateTimeOffset now) => new(
        holder.Name,
        Digits(holder.Key),
        holder.Mode == AdvisoryLockMode.Shared ? "shared" : "exclusive",
        holder.Session.ProcessId,
        holder.Session.ApplicationName,
        holder.Session.UserName,
        holder.Session.ClientAddress,
        holder.Session.ProcessId == 0 ? "prepared transaction" : holder.Session.State,
        SessionText.Seconds(holder.Since, now),
        holder.Waiters.Count,
        holder.Waiters.Select(w => SessionText.Seconds(w.Since, now)).Max(),
        SessionText.Statement(holder.Session));

    /// <summary>As <c>pg_locks</c> would be asked: a number, or two.</summary>
    public static string Digits(AdvisoryKey key) => key.IsPair ? $"{(int)(key.Number >> 32)},{(int)key.Number}" : $"{key.Number}";
}
