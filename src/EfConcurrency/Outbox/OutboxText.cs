namespace EfConcurrency.Outbox;

/// <summary>What PostgreSQL can store as text.</summary>
internal static class OutboxText
{
    /// <summary>Whether all surrogates are in pairs; others can't be written as UTF-8.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[++i])))
            {
                return false;
            }
        }

        return true;
    }
}
