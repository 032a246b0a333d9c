using EfConcurrency.AspNetCore.Preconditions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace EfConcurrency.AspNetCore.OpenApi;

/// <summary>Lets the metadata of an endpoint describe its headers and responses.</summary>
internal sealed class ConcurrencyOperationTransformer : IOpenApiOperationTransformer
{
    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        // MVC takes what a model binder makes for parameters of the request.
        foreach (var bound in context.Description.ParameterDescriptions.Where(p => p.Type == typeof(IfMatch) || p.Type == typeof(IfNoneMatch)))
        {
            operation.Parameters = operation.Parameters?.Where(p => p.Name != bound.Name || p.In == ParameterLocation.Header).ToList();
        }

        var method = context.Description.HttpMethod ?? "";
        foreach (var description in context.Description.ActionDescriptor.EndpointMetadata.OfType<IOperationDescription>())
        {
            description.Describe(operation, HttpMethods.IsGet(method) || HttpMethods.IsHead(method));
        }

        return Task.CompletedTask;
    }
}
