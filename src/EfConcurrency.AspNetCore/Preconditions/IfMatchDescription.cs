using EfConcurrency.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary><c>RequireIfMatch()</c> in an OpenAPI document.</summary>
internal sealed class IfMatchDescription(bool allowCreate) : IOperationDescription
{
    public void Describe(OpenApiOperation operation, bool isRead)
    {
        OperationText.AddHeader(operation, "If-Match", "The ETag of the version that was read, or *.", isRequired: !allowCreate);
        if (allowCreate)
        {
            OperationText.AddHeader(operation, "If-None-Match", "* to create only.", isRequired: false);
        }

        OperationText.AddProblem(operation, 400, "A header is malformed.");
        OperationText.AddProblem(operation, 412, "The resource has another version. ETag tells which.");
        OperationText.AddProblem(operation, 428, "If-Match is missing.");
        OperationText.AddResponseHeader(operation, 412, "ETag", "Version of the resource.");
    }
}
