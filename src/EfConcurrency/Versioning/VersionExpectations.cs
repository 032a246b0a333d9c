using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.Versioning;

/// <summary>
/// Entities whose expected version was given from outside: <c>db.Expect(entity, version)</c>. Reading again would not change that
/// expectation, so a conflict on one of them is final.
/// </summary>
internal sealed class VersionExpectations : IEnvelopeContributor, IResettableService
{
    private readonly HashSet<object> _expected = new(ReferenceEqualityComparer.Instance);
    private readonly List<object> _sent = [];

    public void Add(object entity) => _expected.Add(entity);

    public bool Contains(object entity) => _expected.Contains(entity);

    public void Contribute(EnvelopeSave save)
    {
        _sent.Clear();
        if (_expected.Count > 0)
        {
            _sent.AddRange(save.Entries.Select(e => e.ToEntityEntry().Entity).Where(_expected.Contains));
        }
    }

    /// <summary>The row had the expected version. From now on it has one that this context wrote.</summary>
    public void Saved() => _sent.ForEach(e => _expected.Remove(e));

    public void ResetState()
    {
        _expected.Clear();
        _sent.Clear();
    }

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }
}
