using EfConcurrency.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary><c>WithETag()</c> in an OpenAPI document.</summary>
internal sealed class ETagDescription : IOperationDescription
{
    public static readonly ETagDescription Instance = new();

    public void Describe(OpenApiOperation operation, bool isRead)
    {
        OperationText.AddSuccessHeader(operation, "ETag", "Version of the resource, to be sent back in If-Match.");
        if (isRead)
        {
            OperationText.AddHeader(operation, "If-None-Match", "ETags of versions that the client has already.", isRequired: false);
            OperationText.AddResponse(operation, 304, "The client has this version already.");
        }
    }
}
