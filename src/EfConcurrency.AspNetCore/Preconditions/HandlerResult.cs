using Microsoft.AspNetCore.Http;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary>What a handler of a minimal API is about to send.</summary>
internal static class HandlerResult
{
    /// <summary>The status and the value; also of <c>Results&lt;Ok&lt;T&gt;, NotFound&gt;</c>. What is no <see cref="IResult"/> is sent with 200.</summary>
    public static (int Status, object? Value) Of(object? result) => result switch
    {
        INestedHttpResult nested => Of(nested.Result),
        IResult => ((result as IStatusCodeHttpResult)?.StatusCode ?? StatusCodes.Status200OK, (result as IValueHttpResult)?.Value),
        _ => (StatusCodes.Status200OK, result),
    };
}
