namespace EfConcurrency.Versioning;

/// <summary>Stands for a local variable that a lambda captures: EF makes a parameter of it.</summary>
internal sealed class CapturedValue<TValue>(TValue value)
{
    public readonly TValue Value = value;
}
