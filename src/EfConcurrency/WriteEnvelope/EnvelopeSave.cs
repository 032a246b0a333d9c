using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.WriteEnvelope;

/// <summary>One attempt to save: EF's entries plus what the contributors add around them.</summary>
internal sealed class EnvelopeSave(DbContext context, IList<IUpdateEntry> entries, IUpdateAdapter adapter)
{
    private static readonly List<EnvelopeStatement> NoStatements = [];

    private readonly List<IUpdateEntry> _included = [];
    private readonly List<EnvelopeStatement> _guards = [];
    private readonly List<EnvelopeStatement> _messages = [];
    private int _locks;
    private int _guardsTaken;
    private int _messagesTaken;

    public DbContext Context { get; } = context;

    /// <summary>What EF writes. Entries of <see cref="Include"/> are part of it.</summary>
    public IList<IUpdateEntry> Entries { get; } = entries;

    public IUpdateAdapter Adapter { get; } = adapter;

    /// <summary>True when the server itself refuses the whole list, so that no BEGIN and COMMIT are needed.</summary>
    public bool IsServerJudged { get; set; }

    /// <summary>Number of statements that are ours; EF counts them as saved entries.</summary>
    public int StatementCount => _guards.Count + _messages.Count;

    /// <summary>How many of them are locks: they come first.</summary>
    public int LockCount => _locks;

    /// <summary>Whether all our statements are in a batch.</summary>
    public bool IsSent => _guardsTaken == _guards.Count && _messagesTaken == _messages.Count;

    /// <summary>Whether EF made a batch for this save.</summary>
    public bool HasUserBatch { get; private set; }

    /// <summary>Adds an entry in which EF found no change; its state is put back when the save fails.</summary>
    public void Include(IUpdateEntry entry)
    {
        _included.Add(entry);

        // It is there already when the save is judged again. It is never taken out: EF discards the new values of what is in the list.
        if (!Entries.Contains(entry))
        {
            Entries.Add(entry);
        }
    }

    /// <summary>
    /// Adds a statement that waits for its turn and writes nothing. It runs before all guards: what they check must be checked after the wait.
    /// </summary>
    public void AddLock(EnvelopeStatement statement)
    {
        statement.Number = StatementCount;
        _guards.Insert(_locks++, statement);
    }

    /// <summary>Adds a statement that runs before the user's.</summary>
    public void AddGuard(EnvelopeStatement statement) => Add(_guards, statement);

    /// <summary>Adds a statement that runs after the user's.</summary>
    public void AddMessage(EnvelopeStatement statement) => Add(_messages, statement);

    /// <summary>The guards that are not yet in a batch: all of them for the first batch, none afterwards.</summary>
    public List<EnvelopeStatement> TakeGuards()
    {
        HasUserBatch |= Entries.Count > 0;
        return Take(_guards, ref _guardsTaken);
    }

    /// <summary>The messages that are not yet in a batch; to be asked for by the last batch only.</summary>
    public List<EnvelopeStatement> TakeMessages() => Take(_messages, ref _messagesTaken);

    /// <summary>
    /// Whether more than one statement that writes or checks will be sent, as far as is known before the SQL is written.
    /// A single one is its own transaction, and EF judges its row count without harm, also behind locks, which leave nothing.
    /// </summary>
    public bool HasSeveralStatements()
        => StatementCount - _locks + Entries.Count > 1 || (Entries.Count == 1 && Entries[0].EntityType.GetTableMappings().Skip(1).Any());

    /// <summary>The save has succeeded: included entries keep the state that EF gives them.</summary>
    public void Keep() => _included.Clear();

    /// <summary>Puts the state of included entries back, unless the save has succeeded.</summary>
    public void Undo()
    {
        foreach (var entry in _included)
        {
            entry.EntityState = EntityState.Unchanged;
        }
    }

    private static List<EnvelopeStatement> Take(List<EnvelopeStatement> statements, ref int taken)
    {
        if (taken == statements.Count)
        {
            return NoStatements;
        }

        var rest = statements.GetRange(taken, statements.Count - taken);
        taken = statements.Count;
        return rest;
    }

    private void Add(List<EnvelopeStatement> statements, EnvelopeStatement statement)
    {
        statement.Number = StatementCount;
        statements.Add(statement);
    }
}
