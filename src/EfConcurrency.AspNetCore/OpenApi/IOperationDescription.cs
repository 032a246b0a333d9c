using Microsoft.OpenApi;

namespace EfConcurrency.AspNetCore.OpenApi;

/// <summary>Endpoint metadata that knows what to say about its endpoint in an OpenAPI document.</summary>
internal interface IOperationDescription
{
    /// <param name="operation">What is described.</param>
    /// <param name="isRead">Whether the method is GET or HEAD.</param>
    void Describe(OpenApiOperation operation, bool isRead);
}
