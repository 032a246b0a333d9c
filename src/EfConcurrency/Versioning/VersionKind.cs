namespace EfConcurrency.Versioning;

/// <summary>How a version column gets its next value.</summary>
internal enum VersionKind
{
    /// <summary>64-bit number, one more than the value that was read.</summary>
    Int64,

    /// <summary>32-bit number, one more than the value that was read.</summary>
    Int32,

    /// <summary>A fresh UUID of version 7.</summary>
    Guid,

    /// <summary>PostgreSQL's system column <c>xmin</c>: the server writes it, we only check it.</summary>
    Xmin,
}
