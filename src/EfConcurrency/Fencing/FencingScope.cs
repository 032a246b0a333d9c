using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.Fencing;

/// <summary>
/// The tokens under which a context writes. A scoped service of EF's internal provider, not an <c>AsyncLocal</c>: a value set in an awaited
/// method would be lost on return, and would leak into work that was only started there. Empty again when a pooled context goes back.
/// </summary>
internal sealed class FencingScope : IResettableService
{
    private readonly List<FencingGrant> _grants = [];

    public IReadOnlyList<FencingGrant> Grants => _grants;

    /// <summary>The scope of <paramref name="context"/>.</summary>
    /// <exception cref="InvalidOperationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static FencingScope Of(DbContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return ((IInfrastructure<IServiceProvider>)context).Instance.GetService(typeof(FencingScope)) as FencingScope
            ?? throw new InvalidOperationException(
                $"'{context.GetType().Name}' has no UseEfConcurrency(), so no save of it would be fenced. Call it on the context's options, beside UseNpgsql().");
    }

    /// <summary>Adds a token until the result is disposed.</summary>
    /// <exception cref="InvalidOperationException">Another token of the same resource is in scope.</exception>
    public IDisposable Add(FencingGrant grant)
    {
        if (_grants.Find(g => g.Resource == grant.Resource && (g.Token != grant.Token || g.Holder != grant.Holder)) is { } other)
        {
            throw new InvalidOperationException(
                $"Token {grant.Token} of '{grant.Resource}' can't be used: the context already writes under token {other.Token} of it. Dispose the first scope, or use a context of its own for each.");
        }

        _grants.Add(grant);
        return new Removal(this, grant);
    }

    /// <summary>The token for a resource.</summary>
    /// <exception cref="FencingTokenRequiredException">There is none in scope.</exception>
    public FencingGrant Require(string resource, IReadOnlyEntityType entityType)
    {
        foreach (var grant in _grants)
        {
            if (grant.Resource == resource)
            {
                return grant;
            }
        }

        throw new FencingTokenRequiredException(resource, entityType.DisplayName());
    }

    /// <summary>The one token that can fence rows of a template, for a statement that writes many.</summary>
    /// <exception cref="FencingTokenRequiredException">There is none in scope.</exception>
    /// <exception cref="InvalidOperationException">There are several.</exception>
    public FencingGrant Require(ResourceTemplate template, IReadOnlyEntityType entityType)
    {
        if (template.IsConstant)
        {
            return Require(template.Constant, entityType);
        }

        var matching = _grants.FindAll(g => template.Matches(g.Resource)).DistinctBy(g => g.Resource).ToList();
        return matching.Count switch
        {
            0 => throw new FencingTokenRequiredException(template.Text, entityType.DisplayName()),
            1 => matching[0],
            _ => throw new InvalidOperationException(
                $"Tokens of {string.Join(", ", matching.Select(g => $"'{g.Resource}'"))} are in scope, and one ExecuteUpdate or ExecuteDelete of '{entityType.DisplayName()}' can be fenced by one of them only. "
                + "Send a statement for each, with only its token in scope."),
        };
    }

    /// <summary>Throws when a lease in scope was released.</summary>
    public void Check() => _grants.ForEach(g => g.Check?.Invoke());

    /// <summary>The tokens as the database function takes them; empty when there are none.</summary>
    public string[] Presented()
    {
        Check();
        return _grants.Count == 0 ? [] : [JsonSerializer.Serialize(_grants.Select(g => new { resource = g.Resource, token = g.Token, holder = g.Holder }))];
    }

    public void ResetState() => _grants.Clear();

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }

    private sealed class Removal(FencingScope scope, FencingGrant grant) : IDisposable
    {
        private FencingGrant? _grant = grant;

        public void Dispose()
        {
            if (_grant is { } added)
            {
                _grant = null;
                // This very one: after a reset of the context, an equal one is another user's.
                scope._grants.RemoveAll(g => ReferenceEquals(g, added));
            }
        }
    }
}
