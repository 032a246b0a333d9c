using EfConcurrency.Resilience;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>The role may not look at other sessions, or end them.</summary>
public sealed class AdvisoryLockPermissionException : InvalidOperationException, IFinalRefusal
{
    internal AdvisoryLockPermissionException(string role, string missingRole, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Role = role;
        MissingRole = missingRole;
    }

    /// <summary>The role that was connected.</summary>
    public string Role { get; }

    /// <summary>The predefined role that it needs. https://www.postgresql.org/docs/current/predefined-roles.html</summary>
    public string MissingRole { get; }

    internal static AdvisoryLockPermissionException Inspect(string role)
        => new(role, "pg_monitor", $"The role '{role}' does not see the sessions of other roles, so the answer would be incomplete. Run: grant pg_monitor to \"{role}\"");

    internal static AdvisoryLockPermissionException Terminate(string role, Exception exception)
        => new(
            role,
            "pg_signal_backend",
            $"The role '{role}' may not end the session: {exception.Message} Run: grant pg_signal_backend to \"{role}\"; only a superuser may end a superuser's session.",
            exception);
}
