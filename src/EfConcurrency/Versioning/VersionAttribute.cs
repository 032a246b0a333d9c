namespace EfConcurrency.Versioning;

/// <summary>
/// Makes the property the version column of its entity: checked and raised by every save.
/// The property is a <see cref="long"/>, <see cref="int"/>, <see cref="Guid"/> (or a type converted to one of them),
/// or a <see cref="uint"/>, which maps PostgreSQL's <c>xmin</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class VersionAttribute : Attribute;
