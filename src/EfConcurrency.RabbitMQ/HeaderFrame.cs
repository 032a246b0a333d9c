using System.Text;

namespace EfConcurrency.RabbitMQ;

/// <summary>Headers go in one frame; one that is too large ends the connection (501), and would do so again and again.</summary>
internal static class HeaderFrame
{
    /// <summary>The other properties, what the client library adds, and the frame's own ends.</summary>
    private const int Others = 4 * 1024;

    /// <param name="headers">Strings.</param>
    /// <param name="frameMax">As negotiated; 0: no limit.</param>
    public static bool Fits(IReadOnlyDictionary<string, object?> headers, uint frameMax)
        => frameMax == 0 || headers.Sum(h => Bytes(h.Key) + Bytes(h.Value) + 6L) + Others <= frameMax;

    private static int Bytes(object? value) => value switch
    {
        string text => Encoding.UTF8.GetByteCount(text),
        byte[] bytes => bytes.Length,
        _ => 16,
    };
}
