namespace EfConcurrency.WriteEnvelope;

/// <summary>The model annotation that asks migrations for the guard function. Part of users' migration snapshots: never rename it.</summary>
internal static class GuardFunctionAnnotation
{
    public const string Name = "EfConcurrency:GuardFunction";
}
