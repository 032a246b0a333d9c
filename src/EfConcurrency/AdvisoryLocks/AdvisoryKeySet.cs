using System.Collections;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>
/// The keys of one call, without duplicates and in the order in which they are locked, so that two calls can't deadlock with each other.
/// One key converts to a set by itself; several are written as <c>["order:1", "order:2"]</c>.
/// </summary>
[CollectionBuilder(typeof(AdvisoryKeySet), nameof(Of))]
public sealed class AdvisoryKeySet : IReadOnlyList<AdvisoryKey>
{
    private readonly ImmutableArray<AdvisoryKey> _keys;

    private AdvisoryKeySet(ImmutableArray<AdvisoryKey> keys) => _keys = keys;

    /// <inheritdoc/>
    public int Count => _keys.Length;

    /// <inheritdoc/>
    public AdvisoryKey this[int index] => _keys[index];

    /// <summary>The set of these keys.</summary>
    /// <param name="keys">One or more, in any order, also twice.</param>
    /// <returns>The set.</returns>
    /// <exception cref="ArgumentException">There is no key, or one is null.</exception>
    /// <exception cref="AdvisoryKeyCollisionException">Two different names have the same number.</exception>
    public static AdvisoryKeySet Of(params ReadOnlySpan<AdvisoryKey> keys)
    {
        if (keys.Length == 0)
        {
            throw new ArgumentException("No key: nothing would be locked. Give at least one.", nameof(keys));
        }

        if (keys.Length == 1 && keys[0] is { } only)
        {
            return new([only]);
        }

        var unique = new SortedSet<AdvisoryKey>(AdvisoryKey.LockOrder);
        foreach (var key in keys)
        {
            if (key is null)
            {
                throw new ArgumentException("A key is null.", nameof(keys));
            }

            if (unique.TryGetValue(key, out var known))
            {
                AdvisoryKeyCollisionException.ThrowIfOtherName(known, key);
                if (known.Name is not null)
                {
                    continue;
                }

                unique.Remove(known);
            }

            unique.Add(key);
        }

        return new([.. unique]);
    }

    /// <summary>The set of one key.</summary>
    /// <param name="key">The key.</param>
    public static implicit operator AdvisoryKeySet(AdvisoryKey key) => Of(key);

    /// <summary>The set of one name.</summary>
    /// <param name="name">What is locked; see <see cref="AdvisoryKey.Of(string, string)"/>.</param>
    public static implicit operator AdvisoryKeySet(string name) => Of(AdvisoryKey.Of(name));

    /// <summary>The set of one number.</summary>
    /// <param name="number">Any number.</param>
    public static implicit operator AdvisoryKeySet(long number) => Of(AdvisoryKey.Of(number));

    /// <summary>The set of one pair of numbers.</summary>
    /// <param name="pair">The numbers.</param>
    public static implicit operator AdvisoryKeySet((int First, int Second) pair) => Of(AdvisoryKey.Of(pair.First, pair.Second));

    /// <inheritdoc/>
    public IEnumerator<AdvisoryKey> GetEnumerator() => ((IEnumerable<AdvisoryKey>)_keys).GetEnumerator();

    /// <summary>The keys, for messages.</summary>
    /// <returns>The first few of them.</returns>
    public override string ToString()
    {
        const int shown = 5;
        return string.Join(", ", _keys.Take(shown)) + (Count > shown ? $" and {Count - shown} more" : "");
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
