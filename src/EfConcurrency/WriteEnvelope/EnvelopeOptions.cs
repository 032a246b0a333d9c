namespace EfConcurrency.WriteEnvelope;

/// <summary>Settings of the write envelope, the same for all contexts of one internal service provider.</summary>
/// <param name="ServerJudged">Whether the server judges saves of several statements.</param>
/// <param name="MaxJudgedStatements">Up to how many statements the server judges a save.</param>
/// <param name="GuardSchema">Schema of the guard function, quoted for SQL.</param>
/// <param name="GuardSchemaName">Schema of the guard function, as the catalogue has it.</param>
internal sealed record EnvelopeOptions(ServerJudgedSaves ServerJudged, int MaxJudgedStatements, string GuardSchema, string GuardSchemaName);
