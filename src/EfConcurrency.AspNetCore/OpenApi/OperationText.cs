using System.Globalization;
using Microsoft.OpenApi;

namespace EfConcurrency.AspNetCore.OpenApi;

/// <summary>Adds headers and responses to an operation, unless the program has described them itself.</summary>
internal static class OperationText
{
    private static OpenApiSchema Text => new() { Type = JsonSchemaType.String };

    public static void AddHeader(OpenApiOperation operation, string name, string description, bool isRequired)
    {
        operation.Parameters ??= [];
        if (!operation.Parameters.Any(p => p.In == ParameterLocation.Header && string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase)))
        {
            operation.Parameters.Add(new OpenApiParameter { Name = name, In = ParameterLocation.Header, Description = description, Required = isRequired, Schema = Text });
        }
    }

    public static void AddProblem(OpenApiOperation operation, int status, string description)
    {
        operation.Responses ??= [];
        operation.Responses.TryAdd(Key(status), new OpenApiResponse
        {
            Description = description,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/problem+json"] = new()
                {
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.Object,
                        Properties = new Dictionary<string, IOpenApiSchema>
                        {
                            ["type"] = Text,
                            ["title"] = Text,
                            ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer },
                            ["detail"] = Text,
                        },
                    },
                },
            },
        });
    }

    public static void AddResponse(OpenApiOperation operation, int status, string description)
    {
        operation.Responses ??= [];
        operation.Responses.TryAdd(Key(status), new OpenApiResponse { Description = description });
    }

    /// <summary>A header of the response with <paramref name="status"/>.</summary>
    public static void AddResponseHeader(OpenApiOperation operation, int status, string name, string description)
    {
        if (operation.Responses?.TryGetValue(Key(status), out var response) == true)
        {
            Add(response, name, description);
        }
    }

    /// <summary>A header of all responses that are successes.</summary>
    public static void AddSuccessHeader(OpenApiOperation operation, string name, string description)
    {
        foreach (var (status, response) in operation.Responses ?? [])
        {
            if (status is ['2', ..] or "default")
            {
                Add(response, name, description);
            }
        }
    }

    private static void Add(IOpenApiResponse response, string name, string description)
    {
        if (response is OpenApiResponse own)
        {
            own.Headers ??= new Dictionary<string, IOpenApiHeader>();
            own.Headers.TryAdd(name, new OpenApiHeader { Description = description, Schema = Text });
        }
    }

    private static string Key(int status) => status.ToString(CultureInfo.InvariantCulture);
}
