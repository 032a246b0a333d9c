using Microsoft.AspNetCore.Http;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary>A header of the request is not what its standard says. The response is 400.</summary>
public sealed class MalformedHeaderException : BadHttpRequestException
{
    internal MalformedHeaderException(string header, string message)
        : base(message, StatusCodes.Status400BadRequest)
        => Header = header;

    /// <summary>Name of the header.</summary>
    public string Header { get; }
}
