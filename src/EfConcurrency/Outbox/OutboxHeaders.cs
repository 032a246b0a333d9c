using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using EfConcurrency.Messaging;

namespace EfConcurrency.Outbox;

/// <summary>The headers of a message as JSON: CloudEvents 1.0 in binary mode, W3C Trace Context, and the caller's own.</summary>
internal static class OutboxHeaders
{
    public const int MaxHeaders = 50;

    public const int MaxNameLength = 100;

    public const int MaxValueLength = 4000;

    private const string Id = MessageHeaders.CloudEventsPrefix + "id";

    private const string Subject = MessageHeaders.CloudEventsPrefix + "subject";

    private const string Source = MessageHeaders.CloudEventsPrefix + "source";

    private const string Type = MessageHeaders.CloudEventsPrefix + "type";

    private const string SpecVersion = MessageHeaders.CloudEventsPrefix + "specversion";

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_.");

    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal)
    {
        Id, Subject, Source, Type, SpecVersion, MessageHeaders.ContentType, MessageHeaders.TraceParent, MessageHeaders.TraceState,
    };

    /// <summary>What is the same for all messages of a contract: an object that <see cref="Write"/> completes.</summary>
    public static string Begin(MessageContract contract, string contentType, OutboxSettings settings)
    {
        var mediaType = $"{{\"{MessageHeaders.ContentType}\":\"{Encode(contentType)}\"";
        return settings.CloudEvents
            ? $"{mediaType},\"{SpecVersion}\":\"1.0\",\"{Source}\":\"{Encode(settings.Source)}\",\"{Type}\":\"{Encode(contract.Name)}\""
            : mediaType;
    }

    /// <summary>All headers of a message.</summary>
    public static string Write(string begin, Guid id, string? key, IReadOnlyDictionary<string, string>? headers, OutboxSettings settings)
    {
        var json = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[512]);
        json.AppendLiteral(begin);
        if (settings.CloudEvents)
        {
            json.AppendLiteral($",\"{Id}\":\"");
            json.AppendFormatted(id);
            json.AppendLiteral("\"");
            AppendIfAny(ref json, Subject, key);
        }

        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity)
        {
            AppendIfAny(ref json, MessageHeaders.TraceParent, activity.Id);
            AppendIfAny(ref json, MessageHeaders.TraceState, IsPlain(activity.TraceStateString) ? activity.TraceStateString : null);
        }

        foreach (var (name, value) in headers ?? Enumerable.Empty<KeyValuePair<string, string>>())
        {
            Append(ref json, name, value);
        }

        json.AppendLiteral("}");
        return json.ToStringAndClear();
    }

    /// <summary>What is wrong with the caller's headers, or null.</summary>
    public static string? Problem(IReadOnlyDictionary<string, string> headers)
    {
        if (headers.Count > MaxHeaders)
        {
            return $"there are {headers.Count} headers; {MaxHeaders} are the limit. What consumers need belongs into the message itself.";
        }

        foreach (var (name, value) in headers)
        {
            if (name.Length is 0 or > MaxNameLength || name.AsSpan().ContainsAnyExcept(NameCharacters))
            {
                return $"'{name}' can't be the name of a header: 1 to {MaxNameLength} of a-z 0-9 - _ . are allowed, because brokers and HTTP treat others differently.";
            }

            if (Reserved.Contains(name))
            {
                return $"the header '{name}' is written by the library.";
            }

            if (value is null || value.Length > MaxValueLength || !IsPlain(value))
            {
                return $"the value of the header '{name}' is null, longer than {MaxValueLength} characters, or has control characters or half a surrogate pair in it.";
            }
        }

        return null;
    }

    private static void AppendIfAny(ref DefaultInterpolatedStringHandler json, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            Append(ref json, name, value);
        }
    }

    private static void Append(ref DefaultInterpolatedStringHandler json, string name, string value)
    {
        json.AppendLiteral(",\"");
        json.AppendLiteral(name);
        json.AppendLiteral("\":\"");
        json.AppendLiteral(Encode(value));
        json.AppendLiteral("\"");
    }

    private static bool IsPlain(string? value) => !value.AsSpan().ContainsAnyInRange('\0', '\u001f') && OutboxText.IsWellFormed(value);

    /// <summary>Returns the same string when there is nothing to escape. It is stored as jsonb and never shown as HTML.</summary>
    private static string Encode(string value) => JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value);
}
