namespace EfConcurrency.Versioning;

/// <summary>An entity with a version column: <see cref="Version"/> is checked and raised by every save.</summary>
public interface IVersioned
{
    /// <summary>Number of saves of this row, from 1. Written by the library only; give it a private or init setter.</summary>
    long Version { get; }
}
