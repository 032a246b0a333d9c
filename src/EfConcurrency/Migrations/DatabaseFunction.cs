namespace EfConcurrency.Migrations;

/// <summary>A function that migrations create when the model asks for it and drop when it no longer does.</summary>
/// <param name="Annotation">Annotation of the model that asks for it; its value is the schema.</param>
/// <param name="Version">Raised whenever the body changes, so that the next migration creates it anew.</param>
/// <param name="Create">SQL that creates or replaces it, given the quoted schema.</param>
/// <param name="Drop">SQL that drops it, given the quoted schema.</param>
internal sealed record DatabaseFunction(string Annotation, int Version, Func<string, string> Create, Func<string, string> Drop);
