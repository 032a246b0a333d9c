using EfConcurrency.AspNetCore.Preconditions;

namespace Microsoft.AspNetCore.Http;

/// <summary>The tag of a response that carries no entity.</summary>
public static class PreconditionHttpExtensions
{
    /// <summary>Sets <c>ETag</c> by hand, for example on a 204 after a write.</summary>
    /// <param name="response">The response, not yet started.</param>
    /// <param name="version">The version: a number, a Guid, or the text of the tag.</param>
    /// <exception cref="InvalidOperationException">The value can't be a version, or the response has started.</exception>
    public static void SetETag(this HttpResponse response, object version)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(version);
        response.Headers.ETag = VersionTag.Of(version).ToString();
    }
}
